import type { TwinTables } from './twin-tables';

const PARENTS = 20;
const ROWS = 400;

const numbers = (most: number): number[] => Array.from({ length: most }, (_, i) => i + 1);

const orgs = 'CREATE TABLE orgs@ (id INT PRIMARY KEY, n INT NOT NULL DEFAULT 0)';
const fillOrgs = `INSERT INTO orgs@ (id) VALUES ${numbers(PARENTS)
  .map((id) => `(${id})`)
  .join(', ')}`;
const fillEmails = `INSERT INTO emails@ (id, org, v) VALUES ${numbers(ROWS)
  .map((id) => `(${id}, ${1 + (id % PARENTS)}, ${id})`)
  .join(', ')}`;
const columns = 'id INT PRIMARY KEY, org INT NULL, v INT NOT NULL DEFAULT 0';

type Change = TwinTables['changes'][number];

const ordinary: readonly Change[] = [
  ({ any, fresh }) => [`INSERT INTO emails@ (id, org, v) VALUES (${fresh()}, ${any(PARENTS)}, 1)`],
  ({ any, fresh }) => [
    `INSERT INTO emails@ (id, org, v) VALUES (${fresh()}, ${any(PARENTS)}, 1)`,
    `INSERT INTO emails@ (id, org, v) VALUES (${fresh()}, NULL, 2)`,
  ],
  ({ any }) => [`UPDATE emails@ SET v = v + 1 WHERE id = ${any(ROWS)}`],
  ({ any }) => [`UPDATE emails@ SET org = ${any(PARENTS)} WHERE id = ${any(ROWS)}`],
  ({ any }) => [`DELETE FROM emails@ WHERE id = ${any(ROWS)}`],
  ({ any }) => {
    const row = any(ROWS);
    return [`REPLACE INTO emails@ (id, org, v) VALUES (${row}, ${any(PARENTS)}, 7)`];
  },
  ({ any }) => [`UPDATE orgs@ SET n = n + 1 WHERE id = ${any(PARENTS)}`],
];

/** What is done to parents. */
const parents: readonly Change[] = [
  ({ any }) => [`DELETE FROM orgs@ WHERE id = ${any(PARENTS)}`],
  ...Array<Change>(6).fill(({ any }) => [`INSERT INTO orgs@ (id) VALUES (${any(PARENTS)})`]),
  ({ any }) => [`REPLACE INTO orgs@ (id, n) VALUES (${any(PARENTS)}, ${any(9)})`],
  ({ any }) => {
    const row = any(PARENTS);
    return [`DELETE FROM orgs@ WHERE id = ${row}`, `INSERT INTO orgs@ (id, n) VALUES (${row}, 3)`];
  },
  ({ any }) => [`UPDATE orgs@ SET id = ${any(PARENTS)} WHERE id = ${any(PARENTS)}`],
];

function childOf(rules: string): TwinTables {
  return {
    setup: [
      orgs,
      `CREATE TABLE emails@ (${columns}, CONSTRAINT emails_org@ FOREIGN KEY (org) REFERENCES orgs@ (id) ${rules})`,
      fillOrgs,
      fillEmails,
    ],
    compared: { emails: 'id, org, v', orgs: 'id, n' },
    changes: [...ordinary, ...ordinary, ...parents],
  };
}

const notes = (rules: string): string =>
  `CREATE TABLE notes@ (id INT PRIMARY KEY, email INT NULL, CONSTRAINT notes_email@ FOREIGN KEY (email) REFERENCES emails@ (id) ${rules})`;

const noteChanges: readonly Change[] = [
  ({ any, fresh }) => [`INSERT INTO notes@ (id, email) VALUES (${fresh()}, ${any(ROWS)})`],
  ({ any, fresh }) => {
    const row = fresh();
    return [
      `INSERT INTO emails@ (id, org, v) VALUES (${row}, NULL, 2)`,
      `INSERT INTO notes@ (id, email) VALUES (${any(100_000) + 1_000_000}, ${row})`,
    ];
  },
  ({ any }) => [`UPDATE notes@ SET email = ${any(ROWS)} WHERE id = ${any(2000)}`],
  ({ any, fresh }) => [`UPDATE emails@ SET id = ${fresh()} WHERE id = ${any(ROWS)}`],
];

function parentOf(rules: string): TwinTables {
  return {
    setup: [`CREATE TABLE emails@ (${columns})`, notes(rules), fillEmails],
    compared: { emails: 'id, org, v', notes: 'id, email' },
    changes: [...ordinary.slice(0, 5), ...noteChanges],
  };
}

/** Tables and writers by what the keys are like. */
export const LAYOUTS: Readonly<Record<string, TwinTables>> = {
  'a child whose parents take its rows away': childOf('ON DELETE CASCADE ON UPDATE CASCADE'),
  'a child whose parents leave it without': childOf('ON DELETE SET NULL ON UPDATE CASCADE'),
  'a child that keeps its parents': childOf('ON DELETE RESTRICT ON UPDATE RESTRICT'),
  'a child with rules of both kinds': childOf('ON DELETE CASCADE ON UPDATE RESTRICT'),
  'a parent that takes its children along': parentOf('ON DELETE CASCADE ON UPDATE CASCADE'),
  'a parent that its children keep': parentOf('ON DELETE RESTRICT ON UPDATE RESTRICT'),
  'a table between two others': {
    setup: [
      orgs,
      `CREATE TABLE emails@ (${columns}, CONSTRAINT emails_org@ FOREIGN KEY (org) REFERENCES orgs@ (id) ON DELETE CASCADE)`,
      notes('ON DELETE CASCADE ON UPDATE CASCADE'),
      fillOrgs,
      fillEmails,
    ],
    compared: { emails: 'id, org, v', orgs: 'id, n', notes: 'id, email' },
    changes: [...ordinary, ...noteChanges, ...parents],
  },
  'a table that references itself': {
    setup: [
      `CREATE TABLE emails@ (${columns}, CONSTRAINT emails_above@ FOREIGN KEY (org) REFERENCES emails@ (id) ON DELETE SET NULL)`,
      `INSERT INTO emails@ (id, org, v) VALUES ${numbers(ROWS)
        .map((id) => `(${id}, ${id > 20 ? 1 + (id % 20) : 'NULL'}, ${id})`)
        .join(', ')}`,
    ],
    compared: { emails: 'id, org, v' },
    changes: [...ordinary.slice(0, 5), ({ any }) => [`DELETE FROM emails@ WHERE id = ${any(20)}`]],
  },
  'two tables that reference each other': {
    setup: [
      'CREATE TABLE orgs@ (id INT PRIMARY KEY, n INT NOT NULL DEFAULT 0, main INT NULL)',
      `CREATE TABLE emails@ (${columns}, CONSTRAINT emails_org@ FOREIGN KEY (org) REFERENCES orgs@ (id) ON DELETE CASCADE)`,
      fillOrgs,
      fillEmails,
      'ALTER TABLE orgs@ ADD CONSTRAINT orgs_main@ FOREIGN KEY (main) REFERENCES emails@ (id) ON DELETE SET NULL',
    ],
    compared: { emails: 'id, org, v', orgs: 'id, n, main' },
    changes: [
      ...ordinary,
      ...parents.slice(0, 7),
      ({ any }) => [`UPDATE orgs@ SET main = ${any(ROWS)} WHERE id = ${any(PARENTS)}`],
    ],
  },
};
