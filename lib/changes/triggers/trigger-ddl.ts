import { id, qualified } from '../../database/sql';
import type { KeyColumn } from '../../schema/key-column';
import type { TablePair } from '../../schema/table-pair';

/**
 * The sql_mode the triggers are frozen with. Permissive: a trigger runs inside the application's own statement, and
 * must never make one fail that would have succeeded without it, or change a key.
 */
export const TRIGGER_SQL_MODE = 'ALLOW_INVALID_DATES';

export interface TriggerDefinition {
  readonly name: string;
  readonly event: 'INSERT' | 'UPDATE' | 'DELETE';
  readonly body: string;
}

/**
 * The three triggers. They write keys only; the applier reads the row itself later. An UPDATE that changes any byte
 * of the key leaves both keys: under a case-insensitive collation 'a' and 'A' are equal, in the ghost perhaps not.
 */
export function triggerDefinitions(pair: TablePair): TriggerDefinition[] {
  const { triggers, journal } = pair.names;
  const columns = pair.key.originKeys.columns;
  const into = `INSERT INTO ${qualified(pair.schema, journal)} (hadron_action, ${columns.map((c) => id(c.name)).join(', ')})`;
  const value = (row: 'OLD' | 'NEW', { name, recorded }: KeyColumn): string =>
    recorded?.value(`${row}.${id(name)}`) ?? `${row}.${id(name)}`;
  const key = (row: 'OLD' | 'NEW'): string => columns.map((c) => value(row, c)).join(', ');
  const moved = columns.map((c) => c.differs(`OLD.${id(c.name)}`, `NEW.${id(c.name)}`)).join(' OR ');
  return [
    { name: triggers.insert, event: 'INSERT', body: `${into} VALUES ('insert', ${key('NEW')})` },
    {
      name: triggers.update,
      event: 'UPDATE',
      body: `BEGIN ${into} VALUES ('update', ${key('OLD')}); IF ${moved} THEN ${into} VALUES ('update', ${key('NEW')}); END IF; END`,
    },
    { name: triggers.delete, event: 'DELETE', body: `${into} VALUES ('delete', ${key('OLD')})` },
  ];
}

/** @param definer `user@host`, or null for the account that migrates */
export function createTrigger(pair: TablePair, trigger: TriggerDefinition, definer: string | null): string {
  return (
    `CREATE ${definer === null ? '' : `DEFINER = ${quoteAccount(definer)} `}TRIGGER ${qualified(pair.schema, trigger.name)}` +
    ` AFTER ${trigger.event} ON ${qualified(pair.schema, pair.origin.table)} FOR EACH ROW ${trigger.body}`
  );
}

/** Runs as the same account, and needs the same privileges; its table takes it along when it is dropped. */
export function createProbe({ schema, names }: TablePair, definer: string | null): string {
  return (
    `CREATE ${definer === null ? '' : `DEFINER = ${quoteAccount(definer)} `}TRIGGER ${qualified(schema, names.state)}` +
    ` AFTER UPDATE ON ${qualified(schema, names.state)} FOR EACH ROW` +
    ` INSERT INTO ${qualified(schema, names.journal)} (hadron_action) SELECT NULL FROM DUAL WHERE FALSE`
  );
}

/** Lets the probe run, and changes nothing. */
export function touchProbe({ schema, names }: TablePair): string {
  return `UPDATE ${qualified(schema, names.state)} SET id = id WHERE id = 1`;
}

function quoteAccount(account: string): string {
  const at = account.lastIndexOf('@');
  return at < 0 ? id(account) : `${id(account.slice(0, at))}@${id(account.slice(at + 1))}`;
}
