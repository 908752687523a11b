import { expect } from 'chai';

import { MarkOrder } from '../../lib/changes/binlog/mark-order';

describe('the order of our own marks in the log', () => {
  const MISSING = /A part of the binary log was not read/;

  it('takes them as they come, also again, and before the server has said that they are committed', () => {
    const order = new MarkOrder();
    order.committed(1);
    expect(order.passed([1])).to.equal(1);
    expect(order.passed([2, 3])).to.equal(3);
    order.committed(2);
    order.committed(3);
    order.committed(4);
    expect(order.passed([2, 3, 4])).to.equal(4);
    expect(order.passed([0])).to.equal(0);
    expect(order.passed([])).to.equal(0);
  });

  it('misses one that was committed', () => {
    const order = new MarkOrder();
    for (const mark of [1, 2, 3]) order.committed(mark);
    expect(order.passed([1])).to.equal(1);
    expect(() => order.passed([3])).to.throw(MISSING);
  });

  it('misses none that nobody knows to be committed, or that stands before the beginning', () => {
    const order = new MarkOrder();
    for (const mark of [1, 2]) order.committed(mark);
    order.beginAfter(2);
    expect(order.passed([2])).to.equal(2);
    order.committed(3);
    expect(order.passed([3])).to.equal(3);
    expect(order.passed([5])).to.equal(5);
  });
});
