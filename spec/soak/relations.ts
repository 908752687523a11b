import type { Flavor } from '../support/servers';
import { LAYOUTS } from '../support/foreign-keys/layouts';
import type { TwinTables } from '../support/foreign-keys/twin-tables';
import { atomicStrategiesOf } from '../support/strategies';
import type { Random } from '../support/workload/random';

/** What belongs to the migrated table and has to change hands with it. */
export interface Relations {
  /** One of the layouts of tables with foreign keys; null: none has any. */
  readonly layout: string | null;
  /** Whether it has triggers of its own. */
  readonly triggers: boolean;
}

export function pickRelations(random: Random): Relations {
  const layout = random.chance(0.75) ? random.pick(Object.keys(LAYOUTS)) : null;
  return { layout, triggers: layout === null || random.chance(0.4) };
}

/** Those that are not refused for such a table. */
export function strategiesWith(
  { layout }: Relations,
  flavor: Flavor,
): readonly ('rename-under-lock' | 'sentry')[] {
  const all = atomicStrategiesOf(flavor);
  return layout === null || all.length === 1 ? all : all.filter((one) => one !== 'sentry');
}

/** Triggers of the table itself begin so. */
export const OWN_TRIGGER = 'soak_';

/** Above all ids that writers make up. */
const BULK_FROM = 2_000_000;

const ALONE: TwinTables = {
  setup: [`CREATE TABLE emails@ (id INT PRIMARY KEY, org INT NULL, v INT NOT NULL DEFAULT 0)`],
  compared: { emails: 'id, org, v' },
  changes: [
    ({ any, fresh }) => [`INSERT INTO emails@ (id, org, v) VALUES (${fresh()}, ${any(20)}, 1)`],
    ({ any }) => [`UPDATE emails@ SET v = v + 1 WHERE id = ${BULK_FROM + any(1000)}`],
    ({ any, fresh }) => [`UPDATE emails@ SET id = ${fresh()} WHERE id = ${BULK_FROM + any(1000)}`],
    ({ any }) => [`DELETE FROM emails@ WHERE id = ${1000 + any(1000)}`],
    ({ any }) => {
      const row = BULK_FROM + any(1000);
      return [`REPLACE INTO emails@ (id, org, v) VALUES (${row}, ${any(20)}, 7)`];
    },
  ],
};

/** The tables of a cycle: the layout's, with `rows` more that parents take along, and the triggers. */
export function tablesOf({ layout, triggers }: Relations, rows: number): TwinTables {
  const base = layout === null ? ALONE : LAYOUTS[layout]!;
  const bulk = Array.from({ length: rows }, (_, i) => `(${BULK_FROM + i}, ${orgOf(i)}, ${i})`).join(', ');
  return {
    setup: [...base.setup, `INSERT INTO emails@ (id, org, v) VALUES ${bulk}`, ...(triggers ? TRIGGERS : [])],
    compared: { ...base.compared, ...(triggers ? { audit: 'what, email, n' } : {}) },
    changes: base.changes,
  };
}

/** Few have one: else they would be gone with the first parents. */
function orgOf(i: number): string {
  return i % 5 === 0 ? String(1 + ((i / 5) % 20)) : 'NULL';
}

/** A row tells how often it was changed, and the audit each time: a trigger that fired on the copy would be seen in both. */
const TRIGGERS: readonly string[] = [
  'CREATE TABLE audit@ (what VARCHAR(10), email INT, n INT NOT NULL, PRIMARY KEY (what, email))',
  `CREATE TRIGGER ${OWN_TRIGGER}bi@ BEFORE INSERT ON emails@ FOR EACH ROW SET NEW.v = NEW.v + 1000`,
  `CREATE TRIGGER ${OWN_TRIGGER}bu@ BEFORE UPDATE ON emails@ FOR EACH ROW SET NEW.v = NEW.v + 10`,
  ...(
    [
      ['ai', 'INSERT', 'NEW'],
      ['au', 'UPDATE', 'NEW'],
      ['ad', 'DELETE', 'OLD'],
    ] as const
  ).map(
    ([name, event, row]) =>
      `CREATE TRIGGER ${OWN_TRIGGER}${name}@ AFTER ${event} ON emails@ FOR EACH ROW` +
      ` INSERT INTO audit@ VALUES ('${event.toLowerCase()}', ${row}.id, 1) ON DUPLICATE KEY UPDATE n = n + 1`,
  ),
];
