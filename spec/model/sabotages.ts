import { insertIgnore, renameBeforeLastDrain, type Rewrite } from '../support/saboteur';
import type { Mode } from '../support/servers';

/** A row that gets another key is journalled under its old one only. */
const oldKeyOnly: Rewrite = (sql) => (/^CREATE TRIGGER/.test(sql) ? sql.replace(/ IF .* END IF;/, '') : sql);

/** With the binary log: of the keys that are written down at once, only the first is. */
const firstKeyOnly: Rewrite = (sql) =>
  sql.replace(/^(INSERT INTO \S*_lhmj_.* VALUES \(.*?\)), \('.*$/s, '$1');

/** Changes are dropped as if a chunk was still to come for each of them. */
const asIfNotCopied: Rewrite = (sql) =>
  /^SELECT hadron_seq, .*_lhmj_/.test(sql)
    ? sql.replace(/, (?:1|IF\(.*\)) AS hadron_inside/, ', 0 AS hadron_inside')
    : sql;

const ANYWHERE = { insertIgnore, renameBeforeLastDrain, asIfNotCopied };

/** Rules of the algorithm, each broken at the wire: the model has to notice. */
export const SABOTAGES: Readonly<Record<Mode, Readonly<Record<string, Rewrite>>>> = {
  triggers: { oldKeyOnly, ...ANYWHERE },
  binlog: { firstKeyOnly, ...ANYWHERE },
};
