import type { Rename } from '../../binlog/streamed-tables';
import type { TableName } from '../../schema/identifier';
import type { TablePair } from '../../schema/table-pair';
import { changed, refuseStatement } from './binlog-refusals';
import { follow, ownRenames, swapNamesOf, type SwapNames } from './own-renames';

interface Statement {
  readonly schema: string;
  readonly sql: string;
}

/** What the original is called at the place of the log that was dealt with last, and whether the swap is behind it. */
export class FollowedOrigin {
  /** As they were: the pair's change when the tables do. */
  private readonly names: SwapNames;
  private called: string;
  private isOver = false;

  /** @param takesBack whether the tables may change places and back again */
  constructor(
    pair: TablePair,
    private readonly takesBack: boolean,
  ) {
    this.names = swapNamesOf(pair);
    this.called = this.names.origin;
  }

  get name(): TableName {
    return { schema: this.names.schema, table: this.called };
  }

  /** The tables have changed places, for good. */
  get over(): boolean {
    return this.isOver;
  }

  renamesIn({ schema, sql }: Statement): readonly Rename[] {
    return ownRenames(this.names, schema, sql);
  }

  /** The log is read from another place on. @param renamed whether the original bears the old table's name there */
  goTo(renamed: boolean): void {
    this.called = renamed ? this.names.old : this.names.origin;
  }

  /** @throws Refusal for a statement after which not all changes are known */
  takeIn(statement: Statement): void {
    // Whatever becomes of the old table, the migration is done.
    if (this.isOver) return;
    const renames = this.renamesIn(statement);
    if (renames.length === 0) {
      refuseStatement(this.name, this.called !== this.names.origin, statement);
      return;
    }
    const { name } = this;
    this.called = follow(this.called, renames);
    if (this.takesBack) return;
    // Half of a swap is somebody else's.
    if (this.called !== this.names.old || renames.length !== 2)
      throw changed(name, statement.sql.slice(0, 100));
    this.isOver = true;
  }
}
