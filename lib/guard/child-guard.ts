import { innodbNamePattern } from '../database/innodb-name';
import type { ServerCapabilities } from '../database/server-capabilities';
import type { Session } from '../database/session';
import type { KeyPlan } from '../schema/key-plan';
import { listedKeys, readChildKeys } from '../schema/read-foreign-keys';
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
  private readonly expected: string;

  constructor(
    private readonly pair: TablePair,
    keys: Pick<KeyPlan, 'children'>,
    private readonly server: ServerCapabilities,
  ) {
    this.expected = sorted(keys.children.map(({ key }) => key.name));
  }

  /**
   * @param now whether it has to be looked at, however short the last time is ago
   * @returns what has changed, in words; null when nothing has
   */
  async changed(session: Session, now: boolean): Promise<string | null> {
    if (!now && clock.monotonic() - this.looked < LOOK_EVERY_MS) return null;
    this.looked = clock.monotonic();
    const found = sorted(await this.read(session));
    if (found === this.expected) return null;
    return `: the foreign keys that lead to it were (${this.expected}) and are (${found}), changed`;
  }

  private async read(session: Session): Promise<string[]> {
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
    const filed = own.map((table) => new RegExp(`^${innodbNamePattern({ schema, table })}$`, 'i'));
    const plain = own.map((table) => `${schema}/${table}`);
    return listed
      .filter(({ FOR_NAME }) => !plain.includes(FOR_NAME) && !filed.some((one) => one.test(FOR_NAME)))
      .map(({ ID }) => ID.split('/').at(-1) ?? ID);
  }
}

function sorted(names: readonly string[]): string {
  return [...names].sort().join(', ');
}
