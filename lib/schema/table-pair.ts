import type { ChunkKey } from './chunk-key';
import type { MappedColumn } from './column-mapping';
import type { DerivedNames } from './derived-names';
import type { ForeignKey } from './foreign-key';
import type { TableSchema } from './table-schema';

/** The origin, its ghost, and what leads from the one to the other. Fixed once the ghost has been altered. */
export interface TablePair {
  readonly schema: string;
  readonly origin: TableSchema;
  readonly ghost: TableSchema;
  readonly names: DerivedNames;
  readonly key: ChunkKey;
  readonly columns: readonly MappedColumn[];
  /** Origin column → ghost column that carries its data. */
  readonly mapping: ReadonlyMap<string, string>;
  /** Ghost column in lower case → SQL expression that fills it. */
  readonly values: ReadonlyMap<string, string>;
  /** Keys that the ghost bears while rows are copied, so that cascades reach it. */
  readonly carriedKeys: readonly ForeignKey[];
  /** The ALTER names an AUTO_INCREMENT counter: the origin's is not carried over. */
  readonly ownCounter: boolean;
}
