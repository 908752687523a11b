import { knex as createKnex, type Knex } from 'knex';
import type { Session } from '../database/session';
import { retargetBindings } from '../schema/retarget-bindings';
import {
  retargetStatement,
  type RetargetedStatement,
  type RetargetTarget,
} from '../schema/retarget-statement';
import { modesOfSqlMode, type SqlModes } from '../schema/sql-tokens';
import { alterFailed } from './alter-failed';
import type {
  KnexClient,
  KnexClientConstructor,
  KnexConnection,
  KnexQuery,
  KnexTableCompiler,
} from './knex-internals';

export type OnStatement = (statement: RetargetedStatement, bindings: readonly unknown[]) => void;

/**
 * Makes a Knex whose builders compile for the origin and whose statements run on the ghost, on the given session.
 *
 * Compiling for the origin is what makes names come out as the user knows them (`emails_address_unique`); the
 * finished statement is then retargeted. The user's Knex is only read: its configuration (`wrapIdentifier`,
 * `postProcessResponse`, …) and the class of its client; its pool is never touched, so it may be of size 1, not
 * initialised or destroyed.
 *
 * @param modes how the session's `sql_mode` makes the server read SQL
 * @param onStatement told of every statement that has succeeded, in order
 */
export function createAlterKnex(
  userKnex: Knex,
  session: Session,
  target: RetargetTarget,
  modes: SqlModes,
  onStatement: OnStatement,
): Knex {
  const userClient = userKnex.client as KnexClient;
  const Client = onSession(userClient, session, target, modes, onStatement);
  const config: Record<string, unknown> = { ...userClient.config, client: Client };
  // Without connection settings Knex makes neither a driver nor a pool.
  for (const setting of ['connection', 'connectionPool', 'pool']) Reflect.deleteProperty(config, setting);
  return createKnex(config);
}

function onSession(
  userClient: KnexClient,
  session: Session,
  target: RetargetTarget,
  initialModes: SqlModes,
  onStatement: OnStatement,
): KnexClientConstructor {
  const UserClient = userClient.constructor as KnexClientConstructor;
  const connection: KnexConnection = {
    __knexUid: 'large-hadron-migrate',
    query: (sql, callback) => {
      session.raw(sql).then(([rows]) => callback(null, rows), callback);
    },
  };
  let modes = initialModes;

  return class SessionClient extends UserClient {
    override initializeDriver(): void {
      this.driver = userClient.driver;
    }

    override initializePool(): void {
      // There is one connection, the session, and it is not ours to open or close.
    }

    override async acquireConnection(): Promise<KnexConnection> {
      await this.checkVersion?.(connection);
      return connection;
    }

    override releaseConnection(): Promise<void> {
      return Promise.resolve();
    }

    override destroy(callback?: () => void): Promise<void> {
      callback?.();
      return Promise.resolve();
    }

    override database(): string {
      return target.schema;
    }

    /** Whoever names the ghost, as was usual in 2011, gets names of indexes after the origin all the same. */
    override tableBuilder(
      type: string,
      tableName: string,
      like: unknown,
      callback: unknown,
    ): Knex.TableBuilder {
      const called = target.called ?? target.origin;
      const name =
        tableName === target.ghost
          ? called
          : tableName === `${target.schema}.${target.ghost}`
            ? `${target.schema}.${called}`
            : tableName;
      return super.tableBuilder(type, name, like, callback);
    }

    /**
     * Around a rename Knex drops the foreign keys that reference the table and creates them anew. Both servers
     * follow a rename by themselves, and the keys of other tables are not to be touched here.
     */
    override tableCompiler(builder: unknown): KnexTableCompiler {
      const compiler = super.tableCompiler(builder);
      compiler.getFKRefs = () => Promise.resolve([[]]);
      return compiler;
    }

    /** The two tables' names are the server's own: a mapper that would change them again must not see them. */
    override customWrapIdentifier(
      value: string,
      origImpl: (value: string) => string,
      context: unknown,
    ): string {
      if (value === target.origin || value === target.ghost) return origImpl(value);
      return super.customWrapIdentifier(value, origImpl, context);
    }

    /** As Knex's own, but it leaves the errors' messages alone: ours name the statement already. */
    override query(_connection: KnexConnection, given: KnexQuery | string): Promise<KnexQuery> {
      const query = typeof given === 'string' ? { sql: given } : given;
      query.bindings = this.prepBindings(query.bindings);
      query.sql = this.positionBindings(query.sql);
      this.emit('query', { __knexUid: connection.__knexUid, ...query });
      return this._query(connection, query);
    }

    override async _query(_connection: KnexConnection, given: KnexQuery | string): Promise<KnexQuery> {
      const query = typeof given === 'string' ? { sql: given } : given;
      const statement = retargetStatement(query.sql, target, modes);
      const bindings = retargetBindings(query.sql, query.bindings ?? [], target, modes);
      try {
        query.response = await session.raw(statement.sql, bindings);
        // The user's SET may change how the next statement must be read.
        if (statement.kind === 'set' && /sql_mode/i.test(statement.sql)) modes = await currentModes(session);
      } catch (error) {
        throw alterFailed(statement, bindings, error);
      }
      onStatement(statement, bindings);
      return query;
    }
  };
}

async function currentModes(session: Session): Promise<SqlModes> {
  const [row] = await session.query<{ mode: string }>('SELECT @@SESSION.sql_mode AS mode');
  return modesOfSqlMode(row?.mode ?? '');
}
