import { insertIgnore, renameBeforeLastDrain, type Rewrite } from '../support/saboteur';

/** A row that gets another key is journalled under its old one only. */
const oldKeyOnly: Rewrite = (sql) => (/^CREATE TRIGGER/.test(sql) ? sql.replace(/ IF .* END IF;/, '') : sql);

/** Changes are dropped as if a chunk was still to come for each of them. */
const asIfNotCopied: Rewrite = (sql) =>
  /^SELECT hadron_seq, .*_lhmj_/.test(sql)
    ? sql.replace(/, (?:1|IF\(.*\)) AS hadron_inside/, ', 0 AS hadron_inside')
    : sql;

/** Rules of the algorithm, each broken at the wire: the model has to notice. */
export const SABOTAGES: Readonly<Record<string, Rewrite>> = {
  insertIgnore,
  renameBeforeLastDrain,
  oldKeyOnly,
  asIfNotCopied,
};
