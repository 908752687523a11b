import type { KeyKind } from './options';
import { AUTO_FROM } from './layout';

/** The names of the two tables, quoted for SQL. */
export interface Tables {
  readonly ledger: string;
  readonly pair: string;
}

function quote(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

export function pairTableName(table: string): string {
  // 64 characters is the longest name there is. Identifiers have no characters outside the basic plane.
  return `${table.slice(0, 59)}_pair`;
}

export function tablesOf(database: string, table: string): Tables {
  return {
    ledger: `${quote(database)}.${quote(table)}`,
    pair: `${quote(database)}.${quote(pairTableName(table))}`,
  };
}

/**
 * Every variant has an index that finds a row by its id, because that is how the workload addresses rows; what differs
 * is the key that a migration can walk along. In the last one `id` may be NULL, so that only `code` will do.
 */
const KEYS: Record<KeyKind, { id: string; keys: string }> = {
  id: { id: 'BIGINT NOT NULL AUTO_INCREMENT', keys: 'PRIMARY KEY (id)' },
  composite: {
    id: 'BIGINT NOT NULL AUTO_INCREMENT',
    keys: 'PRIMARY KEY (bucket, id), UNIQUE KEY by_id (id)',
  },
  'unique-varchar': { id: 'BIGINT NULL', keys: 'UNIQUE KEY by_code (code), UNIQUE KEY by_id (id)' },
};

export function createLedgerSql(name: string, key: KeyKind): string {
  const { id, keys } = KEYS[key];
  return `CREATE TABLE ${name} (
    id ${id},
    bucket SMALLINT NOT NULL,
    code VARCHAR(64) NOT NULL,
    v BIGINT NOT NULL DEFAULT 0,
    slot BIGINT NULL,
    pair_version BIGINT NOT NULL DEFAULT 0,
    version BIGINT NOT NULL DEFAULT 0,
    name VARCHAR(100) NOT NULL,
    amount DECIMAL(14,4) NOT NULL,
    happened_at DATETIME(6) NOT NULL,
    doc JSON NOT NULL,
    note TEXT NULL,
    ${keys}
  ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4${key === 'unique-varchar' ? '' : ` AUTO_INCREMENT=${AUTO_FROM}`}`;
}

/** Added when the table is full, because that is faster. */
export function addSlotKeySql(name: string): string {
  return `ALTER TABLE ${name} ADD UNIQUE KEY by_slot (slot)`;
}

export function createPairSql(name: string): string {
  return `CREATE TABLE ${name} (id BIGINT NOT NULL PRIMARY KEY, version BIGINT NOT NULL) ENGINE=InnoDB`;
}
