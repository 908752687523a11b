import { expect } from 'chai';

import { AUTO_FROM, Layout } from '../support/workload/layout';
import { Ledger } from '../support/workload/ledger';
import { transaction, type Plan } from '../support/workload/plan';
import { pristineRow } from '../support/workload/row';

const ID = AUTO_FROM + 3;

const inserting = (version: number): Plan =>
  transaction('insertAuto', [], [[ID, { ...pristineRow(ID), version }]]);

describe('the ledger of the workload', () => {
  it('takes an id that a server gave again for the row of the second transaction', () => {
    const ledger = new Ledger(new Layout(100, 2));
    ledger.doubt(inserting(1));
    const [doubt] = ledger.doubts;
    expect(doubt?.before.get(ID)).to.equal(null);
    const second = inserting(2);
    ledger.acknowledge(second);
    expect(doubt?.before.get(ID)).to.equal(second.rows.get(ID));
    expect(doubt?.after.get(ID)).to.equal(second.rows.get(ID));
  });

  it('leaves a transaction without an answer open otherwise', () => {
    const ledger = new Ledger(new Layout(100, 2));
    const first = inserting(1);
    ledger.doubt(first);
    ledger.acknowledge(transaction('insertAuto', [], [[ID + 1, pristineRow(ID + 1)]]));
    expect(ledger.doubts[0]?.before.get(ID)).to.equal(null);
    expect(ledger.doubts[0]?.after.get(ID)).to.equal(first.rows.get(ID));
  });
});
