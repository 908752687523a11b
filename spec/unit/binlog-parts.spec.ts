import { deflateSync } from 'node:zlib';

import { expect } from 'chai';

import { readingError, BinlogConnectionLost } from '../../lib/binlog/binlog-errors';
import { comparePositions } from '../../lib/binlog/binlog-position';
import { crc32, forSpecs } from '../../lib/binlog/checksum';
import { EventQueue } from '../../lib/binlog/event-queue';
import { inflate } from '../../lib/binlog/mariadb-compressed';
import { payloadEvents } from '../../lib/binlog/payload-event';
import { decimal, decimalBytes } from '../../lib/binlog/values/decimal';
import { datetime, time, timestamp } from '../../lib/binlog/values/temporal';
import { uuid } from '../../lib/binlog/values/fixed-binary';
import { readXaPrepare, readXaStatement } from '../../lib/binlog/xid';
import { Refusal } from '../../lib/errors';
import { EventMaker } from '../support/binlog/events';

const hex = (text: string): Buffer => Buffer.from(text, 'hex');

describe('values of the binary log', () => {
  for (const [precision, scale, bytes, text] of [
    [14, 4, '810dfb38d204d2', "'1234567890.1234'"],
    [14, 4, '7ef204c72dfb2d', "'-1234567890.1234'"],
    [1, 0, '80', "'0'"],
    [1, 0, '7f', "'0'"],
    [9, 9, '80000001', "'0.000000001'"],
  ] as const) {
    it(`DECIMAL(${precision},${scale}) ${bytes} is ${text}`, () => {
      expect(decimalBytes(precision, scale)).to.equal(bytes.length / 2);
      const read = decimal(precision, scale)(hex(bytes), 0, bytes.length / 2);
      expect(read.replace("'-0'", "'0'")).to.equal(text);
    });
  }

  it('times below zero', () => {
    expect(time(0)(hex('7fffff'), 0, 3)).to.equal("'-00:00:01'");
    expect(time(6)(hex('7fffffffffff'), 0, 6)).to.equal("'-00:00:00.000001'");
    expect(time(2)(hex('7fffffff'), 0, 4)).to.equal("'-00:00:00.01'");
  });

  it('zero dates', () => {
    expect(datetime(0)(hex('8000000000'), 0, 5)).to.equal("'0000-00-00 00:00:00'");
    expect(timestamp(0)(hex('00000000'), 0, 4)).to.equal("'0000-00-00 00:00:00'");
    expect(timestamp(3)(hex('7fffffff26ac'), 0, 6)).to.equal("'2038-01-19 03:14:07.990'");
  });

  it('a UUID without the zeros at its end', () => {
    expect(uuid(hex('123e4567'), 0, 4)).to.equal("'123e4567-0000-0000-0000-000000000000'");
  });
});

describe('parts of the binary log', () => {
  it('checksums in script are those of zlib', () => {
    expect(forSpecs.crcInScript(Buffer.from('123456789'))).to.equal(0xcbf43926);
    expect(crc32(Buffer.from('123456789'))).to.equal(0xcbf43926);
    expect(forSpecs.crcInScript(Buffer.alloc(0))).to.equal(0);
  });

  it('positions are compared by the number of the file, which grows beyond six digits', () => {
    expect(comparePositions({ file: 'b.1000000', offset: 4 }, { file: 'b.999999', offset: 900 })).to.be.above(
      0,
    );
    expect(comparePositions({ file: 'b.000002', offset: 4 }, { file: 'b.000002', offset: 900 })).to.be.below(
      0,
    );
    expect(comparePositions({ file: 'b.000002', offset: 4 }, { file: 'b.000002', offset: 4 })).to.equal(0);
  });

  it('an xid is the same in the event of its PREPARE, which has 32 bits of its format, and in the statement that ends it', () => {
    const body = Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, 1, 0, 0, 0, 0x6b, 0xaa]);
    const { xid } = readXaPrepare(body);
    for (const format of ['4294967295', '8589934591'])
      expect(readXaStatement(`XA ROLLBACK X'6b',X'aa',${format}`)?.xid).to.equal(xid);
  });

  it('an xid is the same however its letters are written', () => {
    expect(readXaStatement("XA COMMIT X'6B',X'',1")).to.deep.equal({
      verb: 'commit',
      xid: "X'6b',X'',1",
      onePhase: false,
    });
    expect(readXaStatement("xa rollback x'6b' , x'AA',4294967295")).to.include({
      verb: 'rollback',
      xid: "X'6b',X'aa',4294967295",
    });
    expect(readXaStatement("XA COMMIT X'6b',X'',1 ONE PHASE")).to.include({ onePhase: true });
    expect(readXaStatement('COMMIT')).to.equal(null);
  });

  it('what MariaDB compressed is inflated, and refused where it is not what it says', () => {
    const text = Buffer.from('a'.repeat(300));
    const packed = Buffer.concat([Buffer.from([0x82, 1, 0x2c]), deflateSync(text)]);
    expect(inflate(packed)).to.deep.equal(text);
    packed[2] = 0x2d;
    expect(() => inflate(packed)).to.throw('length');
    packed[0] = 0x92;
    expect(() => inflate(packed)).to.throw('not known');
  });

  it('events of a payload are the same however it is cut', async () => {
    const make = new EventMaker();
    make.checksums = false;
    const events = [make.xid(), make.query('x'.repeat(1000)), make.xid(), make.insert(1, 2)];
    const got: Buffer[] = [];
    for await (const some of payloadEvents({
      compressed: false,
      size: Buffer.concat(events).length,
      data: Buffer.concat(events),
    })) {
      got.push(...some);
    }
    expect(got).to.deep.equal(events);
  });

  it('the queue stops who fills it, and goes on when half of it is free', async () => {
    const calls: string[] = [];
    const queue = new EventQueue(100, { stop: () => calls.push('stop'), resume: () => calls.push('resume') });
    for (let n = 0; n < 12; n++) queue.push(Buffer.alloc(10, n));
    expect(calls).to.deep.equal(['stop']);
    for (let n = 0; n < 6; n++) expect(queue.shift()?.[0]).to.equal(n);
    expect(calls).to.deep.equal(['stop']);
    queue.shift();
    expect(calls).to.deep.equal(['stop', 'resume']);
    queue.fail(new Error('lost'));
    for (let n = 7; n < 12; n++) {
      expect(await queue.wait()).to.equal(true);
      expect(queue.shift()?.[0]).to.equal(n);
    }
    const error = await queue.wait().catch((why: unknown) => why);
    expect(error).to.have.property('message', 'lost');
    queue.close();
    expect(await queue.wait()).to.equal(false);
  });

  for (const [errno, message, code] of [
    [1236, 'Could not find first log file name in binary log index file', 'LHM_BINLOG_PURGED'],
    [1236, 'Client requested source to start replication from position > file size', 'LHM_BINLOG_PURGED'],
    [
      1236,
      "Client requested master to start replication from impossible position; the first event 'b.000001' at 5",
      'LHM_BINLOG_PURGED',
    ],
    [1236, 'Binary log is not open', 'LHM_BINLOG_OFF'],
    [
      1236,
      'log event entry exceeded max_allowed_packet; Increase max_allowed_packet on source',
      'LHM_BINLOG_UNREADABLE',
    ],
    [1236, 'event read from binlog did not pass crc check', 'LHM_BINLOG_UNREADABLE'],
    [
      1227,
      'Access denied; you need (at least one of) the REPLICATION SLAVE privilege(s)',
      'LHM_MISSING_PRIVILEGE',
    ],
  ] as const) {
    it(`"${message.slice(0, 40)}" is ${code}`, () => {
      const error = readingError(Object.assign(new Error(message), { errno }));
      expect(error).to.be.instanceOf(Refusal).with.property('code', code);
      expect(error.message).to.contain(code === 'LHM_BINLOG_OFF' ? 'no binary log' : message);
    });
  }

  it('another reader of the same number, or a lost connection, is a reason to begin again', () => {
    for (const message of [
      'A replica with the same server_uuid/server_id as this replica has connected to the source',
      'A slave with the same server_uuid/server_id as this slave has connected to the master',
    ]) {
      expect(readingError(Object.assign(new Error(message), { errno: 1236 }))).to.be.instanceOf(
        BinlogConnectionLost,
      );
    }
    expect(readingError(new Error('read ECONNRESET'))).to.be.instanceOf(BinlogConnectionLost);
  });
});
