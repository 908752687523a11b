/** Where a clause stands in the statement; `end` is exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** One thing an ALTER TABLE does, as far as this library must know of it. */
export type AlterClause = Span & AlterAction;

/** Names are without quotes, in the user's spelling. */
export type AlterAction =
  | { readonly kind: 'add-column'; readonly names: readonly string[]; readonly ifNotExists: boolean }
  | { readonly kind: 'drop-column'; readonly name: string; readonly ifExists: boolean }
  | { readonly kind: 'rename-column'; readonly from: string; readonly to: string; readonly ifExists: boolean }
  | { readonly kind: 'change-column'; readonly from: string; readonly to: string; readonly ifExists: boolean }
  | { readonly kind: 'modify-column'; readonly name: string; readonly ifExists: boolean }
  /** `ALTER COLUMN c SET DEFAULT | DROP DEFAULT | SET VISIBLE | SET INVISIBLE` */
  | { readonly kind: 'alter-column'; readonly name: string; readonly ifExists: boolean }
  | { readonly kind: 'add-index'; readonly type: IndexType; readonly name: string | null }
  | { readonly kind: 'drop-index'; readonly name: string; readonly ifExists: boolean }
  | { readonly kind: 'drop-primary-key' }
  | { readonly kind: 'rename-index'; readonly from: string; readonly to: string }
  /** Also a column definition with an inline REFERENCES, of which MariaDB and MySQL 9 make a foreign key, beside the column. */
  | { readonly kind: 'add-foreign-key'; readonly name: string | null; readonly nameSpan: Span | null }
  | ({ readonly kind: 'drop-foreign-key'; readonly ifExists: boolean } & Named)
  /** A CHECK of the table; `name` is null where the server is left to make one up. */
  | { readonly kind: 'add-constraint'; readonly name: string | null; readonly nameSpan: Span | null }
  | ({ readonly kind: 'drop-check-or-constraint'; readonly ifExists: boolean } & Named)
  /** `ALTER CHECK | CONSTRAINT c [NOT] ENFORCED` */
  | ({ readonly kind: 'alter-check' } & Named)
  | { readonly kind: 'rename-table'; readonly to: string | null }
  | { readonly kind: 'algorithm-or-lock'; readonly option: 'ALGORITHM' | 'LOCK'; readonly value: string }
  /** `EXCHANGE PARTITION`, `CONVERT PARTITION`, `CONVERT TABLE`: rows move between tables. */
  | { readonly kind: 'partition-exchange' }
  /** Any other partition clause; `action` is its first word: ADD, DROP, TRUNCATE, PARTITION (BY), REMOVE … */
  | { readonly kind: 'partition'; readonly action: string }
  /** DISCARD or IMPORT TABLESPACE, of the table or of partitions. */
  | { readonly kind: 'tablespace' }
  | { readonly kind: 'engine'; readonly engine: string }
  | { readonly kind: 'convert-charset'; readonly charset: string; readonly collation: string | null }
  | { readonly kind: 'auto-increment'; readonly value: string }
  | { readonly kind: 'force' }
  | { readonly kind: 'order-by' }
  | { readonly kind: 'add-system-versioning' }
  | { readonly kind: 'drop-system-versioning' }
  /** Anything else, a mistake included: the server has the last word on it. */
  | { readonly kind: 'other' };

export type IndexType = 'index' | 'unique' | 'primary' | 'fulltext' | 'spatial' | 'vector';

interface Named {
  readonly name: string;
  /** Where the name stands, quotes included. */
  readonly nameSpan: Span;
}
