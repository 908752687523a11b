import { expect } from 'chai';

import { filterAgainst, type ReplicaFilters } from '../../lib/replication/replica-filters';

const NONE: ReplicaFilters = {
  ...{ doDb: [], ignoreDb: [], doTable: [], ignoreTable: [], wildDoTable: [], wildIgnoreTable: [] },
  others: [],
};

const against = (filters: Partial<ReplicaFilters>): string | null =>
  filterAgainst({ ...NONE, ...filters }, 'shop', 'emails_lhmc_2026');

describe('filters of a replica', () => {
  const harmless: readonly Partial<ReplicaFilters>[] = [
    {},
    { doDb: ['other', 'Shop'] },
    // Where there is the one, the server does not look at the other.
    { doDb: ['shop'], ignoreDb: ['shop'] },
    { ignoreDb: ['other'] },
    { ignoreTable: ['mysql.rds_replication_status', 'shop.emails_lhmn'] },
    { doTable: ['shop.emails_lhmc_2026'], ignoreTable: ['shop.emails_lhmc_2026'] },
    { wildDoTable: ['shop.%'], wildIgnoreTable: ['shop.emails%'] },
    { wildIgnoreTable: ['shop.emails\\_%\\_old', 'sh_p\\_.%', 'shop'] },
  ];
  for (const filters of harmless)
    it(`${JSON.stringify(filters)} leaves it in`, () => expect(against(filters)).to.equal(null));

  const harmful: readonly (readonly [Partial<ReplicaFilters>, string])[] = [
    [{ doDb: ['other'] }, 'Replicate_Do_DB'],
    [{ ignoreDb: ['SHOP'] }, 'Replicate_Ignore_DB'],
    [{ ignoreTable: ['shop.emails_lhmc_2026'] }, 'Replicate_Ignore_Table'],
    [{ doTable: ['shop.emails'] }, 'Replicate_Do_Table'],
    [{ wildDoTable: ['shop.emails'] }, 'Replicate_Wild_Do_Table'],
    [{ wildIgnoreTable: ['sh_p.emails\\_%'] }, 'Replicate_Wild_Ignore_Table'],
    [{ others: ['Replicate_Rewrite_DB'] }, 'Replicate_Rewrite_DB'],
  ];
  for (const [filters, name] of harmful)
    it(`${JSON.stringify(filters)} leaves it out`, () => expect(against(filters)).to.equal(name));
});
