import type { Knex } from 'knex';

/**
 * What the caller's Knex makes of a name before it is sent: with `wrapIdentifier`, as of a snake-case mapper, another
 * one; without it, the name itself.
 */
export function nameOnServer(knex: Knex, name: string): string {
  const client = knex.client as {
    config: { wrapIdentifier?: unknown };
    wrapIdentifier(name: string, context?: unknown): string;
  };
  if (client.config.wrapIdentifier === undefined) return name;
  const wrapped = client.wrapIdentifier(name);
  const [, quoted] = /^`(.*)`$/s.exec(wrapped) ?? [];
  return quoted === undefined ? wrapped : quoted.replaceAll('``', '`');
}
