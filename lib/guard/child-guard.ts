import { innodbNamePattern } from '../database/innodb-name';
import type { ServerCapabilities } from '../database/server-capabilities';
import { errorNumber } from '../database/server-error';
import type { Session } from '../database/session';
import { addKey, type ForeignKey } from '../schema/foreign-key';
import type { TableName } from '../schema/identifier';
import { byTable, type KeyPlan } from '../schema/key-plan';
import { listedKeys, nameIn, readChildKeys, readOwnKeys, type ChildKey } from '../schema/read-foreign-keys';
import type { TablePair } from '../schema/table-pair';
import { clock } from '../util/clock';

/** How often the keys that lead to the table are looked at while rows are copied, in ms. */
const LOOK_EVERY_MS = 1000;

/**
 * Notices foreign keys of other tables that were made or dropped meanwhile: one that nobody knows of would go on leading
 * to the old table.
 */
export class ChildGuard {
  private looked = -Infinity;

  constructor(
    private readonly pair: TablePair,
    private readonly keys: Pick<KeyPlan, 'children'>,
    private readonly server: ServerCapabilities,
  ) {}

  /**
   * @param now whether it has to be looked at, however short the last time is ago
   * @returns what has changed, in words; null when nothing has
   */
  async changed(session: Session, now: boolean): Promise<string | null> {
    if (!now && clock.monotonic() - this.looked < LOOK_EVERY_MS) return null;
    this.looked = clock.monotonic();
    const expected = sorted(this.keys.children.map(({ key }) => key.name));
    const found = sorted(await this.names(session));
    if (found !== expected)
      return `: the foreign keys that lead to it were (${expected}) and are (${found}), changed`;
    for (const [child, planned] of byTable(this.keys.children)) {
      const own = await keysOf(session, child);
      for (const { key } of planned) {
        const is = own.find(({ name }) => name === key.name);
        if (is === undefined || addKey(is) !== addKey(key))
          return `: the foreign key '${key.name}' of '${child.table}' that leads to it was changed`;
      }
    }
    return null;
  }

  /** Keys that lead to the old table, which nobody knew of when it was locked. */
  async late(session: Session): Promise<readonly ChildKey[]> {
    const { schema, names } = this.pair;
    const { keys } = await readChildKeys(session, { schema, table: names.old }, this.server);
    const known = new Set(this.keys.children.map(({ key }) => key.name));
    return keys.filter(({ key }) => !known.has(key.name));
  }

  private async names(session: Session): Promise<string[]> {
    const { schema, origin, names } = this.pair;
    const name = { schema, table: origin.table };
    const listed = await listedKeys(session, name, this.server);
    // The ghost's own keys lead to the origin where that references itself.
    const own = [origin.table, names.ghost];
    if (listed === null) {
      const { keys } = await readChildKeys(session, name, this.server);
      return keys
        .filter(({ child }) => child.schema !== schema || !own.includes(child.table))
        .map(({ key }) => key.name);
    }
    const [setting] = await session.query<{ folds: number }>(
      'SELECT @@GLOBAL.lower_case_table_names AS folds',
    );
    const flags = Number(setting?.folds) === 0 ? '' : 'i';
    const filed = own.map((table) => new RegExp(`^${innodbNamePattern({ schema, table })}$`, flags));
    const plain = own.map((table) => `${schema}/${table}`);
    return listed
      .filter(({ FOR_NAME }) => !plain.includes(FOR_NAME) && !filed.some((one) => one.test(FOR_NAME)))
      .map(({ ID }) => nameIn(ID));
  }
}

function sorted(names: readonly string[]): string {
  return [...names].sort().join(', ');
}

/** None where the table is gone. */
async function keysOf(session: Session, child: TableName): Promise<readonly ForeignKey[]> {
  try {
    return await readOwnKeys(session, child);
  } catch (error) {
    if (errorNumber(error) === NO_SUCH_TABLE) return [];
    throw error;
  }
}

const NO_SUCH_TABLE = 1146;
