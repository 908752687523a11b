import type { LargeHadronOptions, Phase } from '../../lib';
import type { Flavor } from '../support/servers';
import { strategiesOf } from '../support/strategies';
import type { WorkloadOptions } from '../support/workload';
import { Random } from '../support/workload/random';
import { pickRelations, strategiesWith, type Relations } from './relations';

/** What is done to a migration while it runs. */
export const FAULTS = [
  'kill connection',
  'kill query',
  'kill process',
  'abort',
  'restart server',
  'kill server',
  'open transaction',
  'lock tables',
  'take over',
] as const;
export type FaultKind = (typeof FAULTS)[number];

export interface Fault {
  readonly kind: FaultKind;
  /** It strikes so long after the migration has entered this phase, if it does. */
  readonly phase: Phase;
  readonly delayMs: number;
  /** How long a lock is held, or a process stands still. */
  readonly holdMs: number;
}

/** Everything about one cycle that is chosen, from a seed: a table, a workload, a change, faults. */
export interface CyclePlan {
  readonly seed: number;
  readonly workload: Pick<
    WorkloadOptions,
    'rows' | 'key' | 'writers' | 'isolation' | 'pace' | 'dumps' | 'pairedReaders' | 'missingTable'
  >;
  readonly alter: string;
  readonly options: Omit<LargeHadronOptions, 'knex' | 'hooks' | 'progress' | 'signal'>;
  readonly faults: readonly Fault[];
  /** null: a table by itself. */
  readonly relations: Relations | null;
}

/** Of a table by itself. */
const CHANGES = [
  'ADD INDEX soak_version (version, amount)',
  'MODIFY name VARCHAR(300) NOT NULL',
  'MODIFY note MEDIUMTEXT NULL',
  'MODIFY amount DECIMAL(18, 4) NOT NULL',
  'ADD UNIQUE INDEX soak_slot (slot)',
  'MODIFY bucket INT NOT NULL',
  'MODIFY version VARCHAR(40) NOT NULL',
  'ADD COLUMN soak_first INT NOT NULL DEFAULT 3 FIRST',
];

/** Of one with keys or triggers. */
const RELATED_CHANGES = [
  'ADD INDEX soak_v (v)',
  'MODIFY v BIGINT NOT NULL DEFAULT 0',
  'ADD COLUMN soak_first INT NOT NULL DEFAULT 3 FIRST',
];

const STRIKES: readonly (readonly [FaultKind, weight: number])[] = [
  ['kill connection', 5],
  ['kill query', 4],
  ['kill process', 3],
  ['abort', 1],
  ['restart server', 1],
  ['kill server', 2],
  ['open transaction', 3],
  ['lock tables', 1],
  ['take over', 3],
];
const LOTS = STRIKES.flatMap(([kind, weight]) => Array<FaultKind>(weight).fill(kind));

const PHASES: readonly Phase[] = [
  ...(['preflight', 'clone', 'capture', 'capture', 'copy', 'copy', 'copy', 'catch-up', 'verify'] as const),
  ...(['verify', 'cut-over', 'cut-over', 'cut-over', 'clean-up'] as const),
];

/** By this column it is told whether the change was made. */
export const MARK = 'soak_mark';

/** How many of the tables have keys or triggers. */
const RELATED = 1 / 3;

export function planCycle(seed: number, flavor: Flavor): CyclePlan {
  const random = new Random(seed);
  const relating = Random.stream(seed, 2);
  const relations = relating.chance(RELATED) ? pickRelations(relating) : null;
  const changes = CHANGES.filter(() => random.chance(0.25));
  const related = RELATED_CHANGES.filter(() => relating.chance(0.4));
  const any = random.pick(strategiesOf(flavor));
  const strategy = relations === null ? any : relating.pick(strategiesWith(relations, flavor));
  const faults = Array.from({ length: random.pick([0, 0, 1, 1, 1, 2, 2, 3]) }, (): Fault => {
    const phase = random.pick(PHASES);
    return {
      ...{ kind: random.pick(LOTS), phase },
      // The square of a number below 1: mostly soon. What comes after the swap is over in a moment.
      delayMs: Math.round((phase === 'clean-up' ? 30 : 600) * random.next() ** 2),
      holdMs: random.int(3000),
    };
  });
  return {
    seed,
    workload: {
      rows: 1500 + random.int(4500),
      key: random.pick(['id', 'id', 'composite', 'unique-varchar']),
      writers: 2 + random.int(4),
      isolation: random.pick(['mixed', 'READ COMMITTED', 'REPEATABLE READ']),
      pace: random.pick([1, 5, 20]),
      dumps: random.chance(0.5),
      pairedReaders: random.int(3),
      // Between its two renames nothing bears the table's name.
      missingTable: strategy === 'two-step' ? 'expected' : 'unexpected',
    },
    alter: [`ADD COLUMN ${MARK} INT NULL`, ...(relations === null ? changes : related)].join(', '),
    options: {
      preset: 'production',
      chunk: { rows: random.pick([50, 200, 1000]) },
      verify: random.chance(0.15) ? false : { rows: random.pick([100, 500, 2000]) },
      cutOver: { strategy, backoffMs: 50, backoffMaxMs: 1000, drainBudgetMs: random.pick([500, 2000]) },
      reconnectMs: random.chance(0.2) ? 0 : 60_000,
      handleSignals: false,
    },
    faults,
    relations,
  };
}

/** Whether the server may interrupt statements of the application. */
export function shutdowns({ faults }: CyclePlan): 'expected' | 'unexpected' {
  return faults.some(({ kind }) => kind === 'restart server') ? 'expected' : 'unexpected';
}

const DEADLY: readonly FaultKind[] = [
  ...(['kill connection', 'kill process', 'restart server', 'kill server', 'take over'] as const),
];

/**
 * Between the change of the keys and the RENAME a lock that is lost leaves them as they must not be until the next run
 * (docs/foreign-keys.md), and between its RENAME and its replay `rename-then-replay` leaves readers with the table as it was
 * a moment ago (docs/cut-over.md): what the application meets then is known, and there are specs of their own for it.
 */
export function spared({ relations, options }: CyclePlan, kind: FaultKind, phase: Phase): boolean {
  if (!DEADLY.includes(kind) || (phase !== 'cut-over' && phase !== 'clean-up')) return false;
  return (
    (relations !== null && relations.layout !== null) || options.cutOver?.strategy === 'rename-then-replay'
  );
}
