import type { Problem } from '../errors';
import type { CutOverOptions } from '../options/options';

/** What would happen to one column. */
export interface PlannedColumn {
  /** In the table as it is; null for a new column. */
  readonly from: string | null;
  /** In the table as it would be; null for a column that is dropped. */
  readonly to: string | null;
  /**
   * `same`: the value as it is; `converted`: the value as the new type holds it; `value`: an expression of
   * `columns.values`; `default`: what the definition says; `generated`: computed by the server; `dropped`.
   */
  readonly how: 'same' | 'converted' | 'value' | 'default' | 'generated' | 'dropped';
}

/** A way in which the change itself can lose data. */
export interface DataRisk {
  /** The column as it is named now; for unique keys the index. */
  readonly name: string;
  /**
   * `stops`: the first row that does not fit stops the migration, unless `columns.allowDataLoss` is set.
   * `loses`: a dropped column, whose values stay in the old table only.
   */
  readonly effect: 'stops' | 'loses';
  readonly message: string;
}

/** Sizes in bytes. Estimates of the server, which can be wrong by half. */
export interface PlanEstimate {
  readonly rows: number;
  /** With the chunk sizes that the options ask for. */
  readonly chunks: number;
  /** The table with its indexes: about what the new one takes, too. */
  readonly tableBytes: number;
  /** What the copy writes to the binary log; 0 where there is none. */
  readonly binlogBytes: number;
  /** What one captured change takes in the journal, which is emptied all the while; null when the key is not known. */
  readonly journalEntryBytes: number | null;
  /** Writes to the table since the server began to count, per second; null where it does not tell. */
  readonly writesPerSecond: number | null;
  /** Free space where the server tells, which it rarely does; null otherwise. */
  readonly freeBytes: number | null;
}

/** One of the table's own triggers, which the new table would have from the swap on. */
export interface PlannedTrigger {
  readonly name: string;
  /** `BEFORE INSERT` … */
  readonly when: string;
  /** The account that it runs as. */
  readonly definer: string;
}

/** Something on the server that names a column which the change drops or renames. */
export interface PlanReference {
  readonly kind: 'view' | 'routine' | 'event' | 'trigger';
  /** `schema.name` */
  readonly name: string;
  readonly columns: readonly string[];
}

/** A transaction that would keep the migration waiting if it began now. */
export interface PlanBlocker {
  readonly connection: number;
  /** How long it has been open, in seconds. */
  readonly seconds: number;
  readonly why: string;
}

/**
 * What `largeHadronMigrate` would do. Nothing was created or changed to find it out, but for a ghost that was removed again
 * with `dryRun: 'ghost'`.
 */
export interface MigrationPlan {
  /** `schema.table` */
  readonly table: string;
  /** Always null: nothing was done. What the original would be called is in `names.old`. */
  readonly oldTable: null;
  readonly strategy: 'copy';
  /** Why this strategy, and this way to capture changes. */
  readonly why: readonly string[];
  /** By which `mode` the changes were asked to be captured. */
  readonly mode: 'triggers' | 'binlog';
  /** By which they are better captured on this server and table, and why; the one that is asked for may be the other. */
  readonly suggestedMode: { readonly mode: 'triggers' | 'binlog'; readonly why: string };
  readonly server: { readonly flavor: 'mysql' | 'mariadb'; readonly version: string };
  /** The change as it would be made on the new table, with the table's own name. */
  readonly alter: readonly string[];
  /** What else would be run, in order: journal, triggers, copy, swap. */
  readonly statements: readonly string[];
  readonly names: { readonly ghost: string; readonly old: string; readonly journal: string };
  /** Empty when the change could not be tried; `warnings` then says why. */
  readonly columns: readonly PlannedColumn[];
  /** SHOW CREATE TABLE as it would be, with `dryRun: 'ghost'`, if nothing would be refused; null otherwise. */
  readonly newDefinition: string | null;
  /** By which key rows are walked and found; null when the change could not be tried. */
  readonly chunkKey: { readonly index: string; readonly columns: readonly string[] } | null;
  readonly cutOver: {
    readonly strategy: Exclude<NonNullable<CutOverOptions['strategy']>, 'auto'>;
    readonly oldReadViews: 'error' | 'wait' | 'ignore';
  };
  readonly estimate: PlanEstimate;
  /** What would make the migration refuse to begin, each with the way out. Empty when it would run. */
  readonly problems: readonly Problem[];
  readonly dataRisks: readonly DataRisk[];
  readonly blockers: readonly PlanBlocker[];
  readonly references: readonly PlanReference[];
  /** Foreign keys from the table and to it, each with what becomes of it. */
  readonly foreignKeys: readonly string[];
  /** The table's own triggers, which are carried to the new one. */
  readonly triggers: readonly PlannedTrigger[];
  readonly warnings: readonly string[];
  /** All of it in words, for a person. */
  readonly text: string;
}
