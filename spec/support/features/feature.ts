import type { Flavor } from '../servers';
import type { Options } from '../test-table';

/** Something that a table can have or be, with a change of it; see `FeatureTwins` for what is written meanwhile. */
export interface Feature {
  readonly what: string;
  /** The only server that has it; what the other one lacks is said by {@link lacks}. */
  readonly only?: Flavor;
  readonly lacks?: string;
  /** Default `emails`. */
  readonly table?: string;
  /** Between the parentheses of CREATE TABLE; with a key `id`, unless {@link key} says otherwise. */
  readonly columns: string;
  /** Behind the parentheses. */
  readonly options?: string;
  /** Statements that are run before the table is created, in its database. */
  readonly before?: readonly string[];
  /** The column by which rows are written to, a number. Default `id`. */
  readonly key?: string;
  /** Whether the server gives the key's values out: then they are left to it where possible. */
  readonly counter?: boolean;
  /** Column → SQL of its value in row `i`, from 1 on; different for every `i` where the column is unique. */
  readonly row: (i: number) => Readonly<Record<string, string>>;
  /** sql_mode under which rows are written. Default: the server's. */
  readonly sqlMode?: string;
  readonly alter: string;
  /** No row is inserted at the swap: it would have to be written in one way before it and in another one after it. */
  readonly unlast?: boolean;
  /** What the server is told to do natively, where that is something else. */
  readonly native?: readonly string[];
  /** More statements of the application at a turn, from 0 on; `!` stands for the table. */
  readonly more?: (turn: number) => readonly string[];
  readonly migration?: Options;
  /** Statements that must do the same to both tables afterwards. */
  readonly after?: readonly string[];
  /** What is known to come out otherwise than natively: makes of the native definition the expected one. */
  readonly otherwise?: (definition: string, flavor: Flavor) => string;
  /** Columns whose values cannot be the same, as each is made anew: they are all there, and all different. */
  readonly anew?: readonly string[];
  /** MySQL writes expressions otherwise with every ALTER: the twin is altered once more. */
  readonly folded?: boolean;
  /** Its counter ends elsewhere: rows that were written to meanwhile got another number. */
  readonly numbered?: boolean;
  /** Columns that are not compared. */
  readonly apart?: readonly string[];
}
