import type { Session } from '../database/session';
import { Refusal } from '../errors';
import { MAX_LENGTH, characters } from '../schema/derived-names';
import type { ForeignKey } from '../schema/foreign-key';
import type { TableName } from '../schema/identifier';
import type { FinalKey } from '../schema/key-plan';
import type { ChildKey } from '../schema/read-foreign-keys';

export interface KeyNames {
  readonly origin: TableName;
  readonly ghost: TableName;
  readonly own: readonly ForeignKey[];
  readonly final: readonly FinalKey[];
  readonly children: readonly ChildKey[];
}

/**
 * Names that the keys are to have in the end must be possible and free: found out after the swap, it would be too late.
 *
 * @throws Refusal LHM_FOREIGN_KEYS
 */
export async function refuseNames(session: Session, keys: KeyNames): Promise<void> {
  const { origin, ghost, own, final, children } = keys;
  const all = [
    ...own.map(({ name }) => name),
    ...final.map(({ name }) => name),
    ...children.map(({ key }) => key.name),
  ];
  const long = all.find((name) => characters(name).length > MAX_LENGTH);
  if (long !== undefined) {
    throw new Refusal(
      'LHM_FOREIGN_KEYS',
      `The foreign key '${long}' has, or would get, a name of more than ${MAX_LENGTH} characters, which no statement can give.`,
      'Give it a shorter name: drop the key and add it again with one, or name the one that is added.',
    );
  }
  const added = final.map(({ name }) => name).filter((name) => !own.some((key) => key.name === name));
  if (added.length === 0) return;
  const rows = await session.query<{ name: string; on: string }>(
    `SELECT CONSTRAINT_NAME AS \`name\`, TABLE_NAME AS \`on\` FROM information_schema.TABLE_CONSTRAINTS
      WHERE CONSTRAINT_SCHEMA = ? AND CONSTRAINT_TYPE = 'FOREIGN KEY' AND CONSTRAINT_NAME IN (?)`,
    [origin.schema, added],
  );
  const taken = rows.find(({ on }) => on !== origin.table && on !== ghost.table);
  if (taken === undefined) return;
  throw new Refusal(
    'LHM_FOREIGN_KEYS',
    `The foreign key that is added would be called '${taken.name}', which one of '${taken.on}' is called already.`,
    'Give it a name of its own: ADD CONSTRAINT name FOREIGN KEY …',
  );
}
