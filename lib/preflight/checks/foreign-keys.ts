import { id, qualified } from '../../database/sql';
import type { Problem } from '../../errors';
import { describeKey, parseForeignKeys, type ForeignKey } from '../../schema/foreign-key';
import type { TableName } from '../../schema/identifier';
import { readChildKeys, type ChildKeys } from '../../schema/read-foreign-keys';
import { ofTable, type CheckContext } from '../check';

/** Keys in either direction change hands with the table, unless that is not wanted or the account may not. */
export const foreignKeys = ofTable(async (table, context) => {
  const own = parseForeignKeys(table.createSql, table.schema);
  const children = await readChildKeys(context.session, table, context.server);
  return [
    ...hidden(children, context),
    ...(context.options.foreignKeys === 'refuse' ? unwanted(table, own, children) : []),
    ...missing(table, own, children, context),
    ...(own.length + children.keys.length > 0 ? unfitStrategy(context) : []),
  ];
});

/**
 * Where LOCK TABLES and RENAME go together, a RENAME locks the tables at the other end of each key as well, in the order of
 * their names: that of a sentry could be waiting for one of those when the lock is let go, and writers would come first.
 * Between two steps the keys would lead to a name that is not there.
 */
function unfitStrategy({ options, server }: CheckContext): Problem[] {
  const { strategy } = options.cutOver;
  if (strategy !== 'two-step' && !(strategy === 'sentry' && server.renameUnderLock)) return [];
  return [
    {
      code: 'LHM_UNSUPPORTED_OPTION',
      message: `cutOver.strategy '${strategy}' is not safe on ${server.version} for a table with foreign keys, in either direction.`,
      hint: "Leave it out: 'auto' takes one that is.",
    },
  ];
}

function hidden(children: ChildKeys, { grantee }: CheckContext): Problem[] {
  return children.hidden.map(({ name, child }) => {
    const schema = id(child.split('.')[0] ?? child);
    return {
      code: 'LHM_FOREIGN_KEYS',
      message: `Foreign key '${name}' of '${child}' leads to the table, and the account may not look at that one.`,
      hint: `GRANT ${CHILD.join(', ')} ON ${schema}.* TO ${grantee}; or drop the key first.`,
    };
  });
}

function unwanted(table: TableName, own: readonly ForeignKey[], children: ChildKeys): Problem[] {
  const keys = [...own.map((key) => ({ child: table, key })), ...children.keys];
  return keys.map(({ child, key }) => ({
    code: 'LHM_FOREIGN_KEYS',
    message: `Foreign key ${describeKey(`${child.schema}.${child.table}`, key)} is there, and foreignKeys is 'refuse'.`,
    hint: `Leave the option out, or drop the key first (ALTER TABLE ${qualified(child.schema, child.table)} DROP FOREIGN KEY ${id(key.name)};).`,
  }));
}

/** What re-pointing a key takes on the child, and what takes locking and referencing a parent. */
const CHILD = ['SELECT', 'INSERT', 'CREATE', 'ALTER', 'LOCK TABLES'];
const PARENT = ['SELECT', 'REFERENCES', 'LOCK TABLES'];

function missing(
  table: TableName,
  own: readonly ForeignKey[],
  children: ChildKeys,
  { grants, grantee, options }: CheckContext,
): Problem[] {
  if (grants === null || options.foreignKeys === 'refuse') return [];
  const needed = [
    ...own.map(({ parent }) => ({ on: parent, privileges: PARENT })),
    ...children.keys.flatMap(({ child }) => [
      { on: child, privileges: CHILD },
      { on: table, privileges: PARENT },
    ]),
  ];
  const problems = new Map<string, Problem>();
  for (const { on, privileges } of needed) {
    const lacking = privileges.filter((one) => !grants.hasOn(one, on.schema, on.table));
    if (lacking.length === 0) continue;
    const list = lacking.join(', ');
    problems.set(`${list} ${on.schema}`, {
      code: 'LHM_MISSING_PRIVILEGE',
      message: `The account ${grantee} lacks ${list} on '${on.schema}.${on.table}', which a foreign key leads to or from.`,
      hint: `GRANT ${list} ON ${id(on.schema)}.* TO ${grantee};`,
    });
  }
  return [...problems.values()];
}
