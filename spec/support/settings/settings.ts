import type { Flavor } from '../servers';

/** Global variables that a server may be run with, and that sessions begin with. */
export interface Setting {
  readonly what: string;
  readonly globals: Readonly<Record<string, string>>;
  /** Has to do with locks and transactions, and so with how the tables are swapped. */
  readonly atSwap?: boolean;
  readonly only?: Flavor;
}

const modes = (...names: string[]): Setting[] =>
  names.map((name) => ({ what: `sql_mode '${name}'`, globals: { sql_mode: `'${name}'` } }));

const only = (flavor: Flavor, settings: readonly Setting[]): Setting[] =>
  settings.map((setting) => ({ ...setting, only: flavor }));

const STRICT = 'STRICT_TRANS_TABLES';

const SQL_MODES: readonly Setting[] = [
  ...modes(
    '',
    'ANSI_QUOTES',
    'ANSI',
    'TRADITIONAL',
    'NO_BACKSLASH_ESCAPES',
    'PIPES_AS_CONCAT',
    'IGNORE_SPACE',
    'HIGH_NOT_PRECEDENCE',
    'REAL_AS_FLOAT',
    'NO_UNSIGNED_SUBTRACTION',
    'ONLY_FULL_GROUP_BY',
    `${STRICT},NO_ZERO_DATE,NO_ZERO_IN_DATE`,
    'PAD_CHAR_TO_FULL_LENGTH',
    'ALLOW_INVALID_DATES',
  ),
  ...only('mysql', modes('TIME_TRUNCATE_FRACTIONAL')),
  ...only(
    'mariadb',
    modes(
      'ORACLE',
      `EMPTY_STRING_IS_NULL,${STRICT}`,
      'SIMULTANEOUS_ASSIGNMENT',
      'TIME_ROUND_FRACTIONAL',
      'MSSQL',
      'NO_TABLE_OPTIONS,NO_FIELD_OPTIONS,NO_KEY_OPTIONS',
    ),
  ),
];

const TRANSACTIONS: readonly Setting[] = [
  { what: 'autocommit off', globals: { autocommit: '0' } },
  { what: 'completion_type CHAIN', globals: { completion_type: "'CHAIN'" } },
  { what: 'completion_type RELEASE', globals: { completion_type: "'RELEASE'" } },
  { what: 'autocommit off, and CHAIN', globals: { autocommit: '0', completion_type: "'CHAIN'" } },
  ...(['READ-UNCOMMITTED', 'SERIALIZABLE'] as const).flatMap((level) => [
    ...only('mysql', [{ what: level, globals: { transaction_isolation: `'${level}'` } }]),
    ...only('mariadb', [{ what: level, globals: { tx_isolation: `'${level}'` } }]),
  ]),
  ...only('mysql', [{ what: 'read-only transactions', globals: { transaction_read_only: '1' } }]),
  ...only('mariadb', [
    { what: 'read-only transactions', globals: { tx_read_only: '1' } },
    {
      what: 'innodb_snapshot_isolation',
      globals: { innodb_snapshot_isolation: '1', tx_isolation: "'REPEATABLE-READ'" },
    },
  ]),
  {
    what: 'locks that are waited for 1 s',
    globals: { lock_wait_timeout: '1', innodb_lock_wait_timeout: '1' },
  },
  { what: 'no deadlock detection', globals: { innodb_deadlock_detect: '0' } },
  { what: 'checks off', globals: { unique_checks: '0', foreign_key_checks: '0' } },
  { what: 'low_priority_updates', globals: { low_priority_updates: '1' } },
];

const BINARY_LOG: readonly Setting[] = [
  { what: 'binlog_row_image MINIMAL', globals: { binlog_row_image: "'MINIMAL'" } },
  { what: 'binlog_row_image NOBLOB', globals: { binlog_row_image: "'NOBLOB'" } },
  { what: 'binlog_format MIXED', globals: { binlog_format: "'MIXED'" } },
];

const TEXT_AND_TIME: readonly Setting[] = [
  {
    what: 'latin1 everywhere',
    globals: {
      character_set_server: "'latin1'",
      character_set_client: "'latin1'",
      character_set_connection: "'latin1'",
      character_set_results: "'latin1'",
    },
  },
  { what: 'ucs2 of the server', globals: { character_set_server: "'ucs2'" } },
  { what: 'a binary collation of the server', globals: { collation_server: "'utf8mb4_bin'" } },
  { what: 'time_zone +05:00', globals: { time_zone: "'+05:00'" } },
  { what: 'a time zone with summer time', globals: { time_zone: "'Europe/Berlin'" } },
];

const LIMITS: readonly Setting[] = [
  { what: 'sql_safe_updates', globals: { sql_safe_updates: '1' } },
  { what: 'max_join_size 3', globals: { max_join_size: '3' } },
  { what: 'group_concat_max_len 4', globals: { group_concat_max_len: '4' } },
  { what: 'sql_select_limit 1', globals: { sql_select_limit: '1' } },
  {
    what: 'little memory for temporary tables and sorting',
    globals: {
      tmp_table_size: '1024',
      max_heap_table_size: '16384',
      sort_buffer_size: '32768',
      big_tables: '1',
    },
  },
  { what: 'max_sort_length', globals: { max_sort_length: '8' } },
  ...only('mysql', [
    { what: 'max_execution_time 1 ms', globals: { max_execution_time: '1' } },
    {
      what: 'little memory for ranges',
      globals: { range_optimizer_max_mem_size: '1', eq_range_index_dive_limit: '1' },
    },
  ]),
  ...only('mariadb', [
    { what: 'max_statement_time 0.2 s', globals: { max_statement_time: '0.2' } },
    {
      what: 'lists turned into tables, and little memory for ranges',
      globals: { in_predicate_conversion_threshold: '2', optimizer_max_sel_arg_weight: '1' },
    },
  ]),
];

const off = (...names: string[]): string => `'${names.map((name) => `${name}=off`).join(',')}'`;

const OPTIMIZER: readonly Setting[] = [
  ...only('mysql', [
    {
      what: 'an optimizer that may do little',
      globals: {
        optimizer_switch: off(
          'prefer_ordering_index',
          'index_condition_pushdown',
          'derived_merge',
          'semijoin',
          'materialization',
          'mrr',
        ),
        optimizer_search_depth: '0',
        optimizer_prune_level: '0',
      },
    },
    {
      what: 'an optimizer that may do more',
      globals: {
        optimizer_switch:
          "'subquery_to_derived=on,mrr=on,mrr_cost_based=off,batched_key_access=on,use_invisible_indexes=on,hash_join=on'",
      },
    },
  ]),
  ...only('mariadb', [
    {
      what: 'an optimizer that may do little',
      globals: {
        optimizer_switch: off(
          'derived_merge',
          'derived_with_keys',
          'index_condition_pushdown',
          'semijoin',
          'materialization',
          'exists_to_in',
          'extended_keys',
        ),
        optimizer_search_depth: '0',
        optimizer_use_condition_selectivity: '1',
      },
    },
    {
      what: 'an optimizer that may do more',
      globals: {
        optimizer_switch: "'mrr=on,mrr_sort_keys=on,mrr_cost_based=off,optimize_join_buffer_size=off'",
        join_cache_level: '8',
        use_stat_tables: "'PREFERABLY'",
      },
    },
  ]),
];

const DEFINITIONS: readonly Setting[] = [
  {
    what: 'MyISAM by default',
    globals: { default_storage_engine: "'MyISAM'", default_tmp_storage_engine: "'MyISAM'" },
  },
  { what: 'innodb_strict_mode off', globals: { innodb_strict_mode: '0' } },
  { what: 'explicit_defaults_for_timestamp off', globals: { explicit_defaults_for_timestamp: '0' } },
  {
    what: 'numbers counted in steps of 5',
    globals: { auto_increment_increment: '5', auto_increment_offset: '3' },
  },
  ...only('mysql', [
    {
      what: 'sql_require_primary_key and generated ones',
      globals: { sql_require_primary_key: '1', sql_generate_invisible_primary_key: '1' },
    },
    { what: 'SHOW CREATE TABLE says more', globals: { show_create_table_verbosity: '1' } },
    {
      what: 'another collation for utf8mb4',
      globals: { default_collation_for_utf8mb4: "'utf8mb4_general_ci'" },
    },
    { what: 'all changes of a session tracked', globals: { session_track_system_variables: "'*'" } },
  ]),
  ...only('mariadb', [
    { what: 'old_mode empty', globals: { old_mode: "''" } },
    {
      what: 'old_mode of all sorts',
      globals: {
        old_mode: "'NO_DUP_KEY_WARNINGS_WITH_IGNORE,NO_PROGRESS_INFO,ZERO_DATE_TIME_CAST,UTF8_IS_UTF8MB3'",
      },
    },
    { what: 'alter_algorithm', globals: { alter_algorithm: "'INSTANT'" } },
    { what: 'every session tracked', globals: { session_track_system_variables: "'*'" } },
  ]),
];

export function settingsOf(flavor: Flavor): readonly Setting[] {
  const all = [
    ...TRANSACTIONS.map((setting) => ({ ...setting, atSwap: true })),
    ...[SQL_MODES, BINARY_LOG, TEXT_AND_TIME, LIMITS, OPTIMIZER, DEFINITIONS].flat(),
  ];
  return all.filter((setting) => (setting.only ?? flavor) === flavor);
}
