import type { RowImages } from '../../binlog/binlog-events';
import type { StreamedTable } from '../../binlog/streamed-table';
import type { BinlogPosition } from '../../binlog/binlog-position';
import { createTaking } from '../../database/create-taking';
import type { Session } from '../../database/session';
import { qualified, text } from '../../database/sql';
import type { TablePair } from '../../schema/table-pair';

/** What the stream calls it. */
export const CHANGELOG = 'changelog';

/** The row that marks are written to; the row that says how far the log has been dealt with. */
const MARK = 1;
const POSITION = 2;

/**
 * The migration's own words in the binary log (the idea is gh-ost's): a mark that comes back in the stream shows that
 * everything committed before it was written has come, too.
 */
export class ChangelogTable {
  constructor(private readonly pair: TablePair) {}

  async create(session: Session): Promise<void> {
    const { schema, names } = this.pair;
    await createTaking(
      session,
      { schema, table: names.changelog },
      `CREATE TABLE ${this.table} (id TINYINT NOT NULL PRIMARY KEY, mark BIGINT UNSIGNED NOT NULL, position TEXT NULL)` +
        ` ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4`,
    );
    await session.execute(`INSERT INTO ${this.table} (id, mark) VALUES (${MARK}, 0), (${POSITION}, 0)`);
    await session.execute('COMMIT');
  }

  /** On a session with autocommit. */
  async mark(session: Session, mark: number): Promise<void> {
    await session.execute(`UPDATE ${this.table} SET mark = ${mark} WHERE id = ${MARK}`);
  }

  /** SQL that reads the mark as `counter`, wherever the table is. */
  get readMark(): string {
    return `SELECT mark AS counter FROM ${this.table} WHERE id = ${MARK}`;
  }

  /** SQL that writes down that everything before the position is in the journal. */
  moveTo(position: BinlogPosition): string {
    return `UPDATE ${this.table} SET position = ${text(JSON.stringify(position))} WHERE id = ${POSITION}`;
  }

  /** What `moveTo` wrote last; null when nothing was. */
  async position(session: Session): Promise<BinlogPosition | null> {
    const [row] = await session.query<{ position: string | null }>(
      `SELECT position FROM ${this.table} WHERE id = ${POSITION}`,
    );
    return row?.position == null ? null : (JSON.parse(row.position) as BinlogPosition);
  }

  /** As the stream knows it. */
  get streamed(): StreamedTable {
    const { schema } = this.pair;
    return {
      key: CHANGELOG,
      schema,
      table: this.name,
      columns: CHANGELOG_COLUMNS,
      wanted: CHANGELOG_WANTED,
    };
  }

  get name(): string {
    return this.pair.names.changelog;
  }

  private get table(): string {
    return qualified(this.pair.schema, this.pair.names.changelog);
  }
}

/** The columns of the changelog table that the stream needs, as the server describes them. */
const CHANGELOG_COLUMNS = [
  { name: 'id', dataType: 'tinyint', columnType: 'tinyint', charset: null },
  { name: 'mark', dataType: 'bigint', columnType: 'bigint unsigned', charset: null },
  { name: 'position', dataType: 'text', columnType: 'text', charset: 'utf8mb4' },
] as const;

const CHANGELOG_WANTED = ['id', 'mark'] as const;

/**
 * The mark in a row of the changelog table; null when it is not the row of the marks. Where the server logs no more than it
 * must (binlog_row_image = MINIMAL), the row's id is in the image before alone.
 */
export function markIn({ before, after }: RowImages): number | null {
  const id = after?.[0] ?? before?.[0];
  const mark = after?.[1];
  return id === String(MARK) && mark != null ? Number(mark) : null;
}
