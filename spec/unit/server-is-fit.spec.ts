import { expect } from 'chai';

import { serverCapabilities } from '../../lib/database/server-capabilities';
import type { CheckContext } from '../../lib/preflight/check';
import { serverIsFit } from '../../lib/preflight/checks/server';

/** Servers that the specs cannot start: old ones, and members of clusters. */
async function codes(
  version: string,
  variables: Record<string, string>,
  replica: 'migrate' | null = null,
): Promise<string[]> {
  const context = {
    ...{ server: serverCapabilities(version), variables: new Map(Object.entries(variables)) },
    options: { replica },
  };
  const problems = await serverIsFit(context as unknown as CheckContext);
  for (const { message, hint } of problems) {
    expect(message).not.to.equal('');
    expect(hint.length).to.be.above(20);
  }
  return problems.map(({ code }) => code);
}

const GROUP = '7a1b1d1e-0000-0000-0000-000000000001';

describe('a server that is', () => {
  const cases: readonly (readonly [string, string, Record<string, string>, readonly string[]])[] = [
    ['MySQL 9.7', '9.7.4', {}, []],
    ['MySQL 8.0.13', '8.0.13', {}, []],
    ['MySQL 8.0.12', '8.0.12', {}, ['LHM_UNSUPPORTED_SERVER']],
    ['MySQL 5.7', '5.7.44-log', {}, ['LHM_UNSUPPORTED_SERVER']],
    ['MariaDB 10.5', '10.5.29-MariaDB', {}, []],
    ['MariaDB 10.4', '10.4.34-MariaDB', {}, ['LHM_UNSUPPORTED_SERVER']],
    ['MariaDB 10.11 as old protocols name it', '5.5.5-10.11.14-MariaDB', {}, []],
    ['of unknown version', 'something else', {}, ['LHM_UNSUPPORTED_SERVER']],
    ['a node of Galera', '10.11.14-MariaDB', { wsrep_on: 'ON' }, ['LHM_CLUSTER']],
    ['no node of Galera', '10.11.14-MariaDB', { wsrep_on: 'OFF' }, []],
    [
      'a member of a multi-primary group',
      '9.7.4',
      { group_replication_single_primary_mode: 'OFF', group_replication_group_name: GROUP },
      ['LHM_CLUSTER'],
    ],
    [
      'a member of a single-primary group',
      '9.7.4',
      { group_replication_single_primary_mode: 'ON', group_replication_group_name: GROUP },
      [],
    ],
    [
      'in no group, with the plugin installed',
      '9.7.4',
      { group_replication_single_primary_mode: 'OFF', group_replication_group_name: '' },
      [],
    ],
    ['read-only in its storage engine', '9.7.4', { innodb_read_only: 'ON' }, ['LHM_READ_ONLY']],
    [
      'read-only in every way',
      '9.7.4',
      { read_only: 'ON', super_read_only: 'ON', innodb_read_only: 'ON' },
      ['LHM_READ_ONLY'],
    ],
    ['logging statements', '9.7.4', { log_bin: 'ON', binlog_format: 'STATEMENT' }, ['LHM_BINLOG_FORMAT']],
    ['logging nothing', '9.7.4', { log_bin: 'OFF', binlog_format: 'STATEMENT' }, []],
  ];
  for (const [what, version, variables, expected] of cases) {
    it(`${what}: ${expected.join() || 'fit'}`, async () => {
      expect(await codes(version, variables)).to.deep.equal(expected);
    });
  }

  it('read-only to others: fit for a migration of itself, where it is a replica', async () => {
    expect(await codes('9.7.4', { read_only: 'ON' }, 'migrate')).to.deep.equal([]);
    expect(await codes('9.7.4', { super_read_only: 'ON' }, 'migrate')).to.deep.equal(['LHM_READ_ONLY']);
  });
});
