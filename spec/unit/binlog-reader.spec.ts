import { expect } from 'chai';

import { BatchBuilder } from '../../lib/binlog/batch-builder';
import type { BinlogEvent } from '../../lib/binlog/binlog-events';
import { LogFiles } from '../../lib/binlog/log-files';
import { LogReader } from '../../lib/binlog/log-reader';
import { StreamedTables } from '../../lib/binlog/streamed-tables';
import { EventMaker, withChecksum } from '../support/binlog/events';

const INT = { dataType: 'int', columnType: 'int(11)', charset: null };
const TABLE = { key: 'T', schema: 's', table: 't', columns: [{ name: 'id', ...INT }], wanted: ['id'] };

class Reading {
  readonly make = new EventMaker();
  readonly batch = new BatchBuilder(1000);
  readonly tables = new StreamedTables([TABLE], false);
  readonly reader = new LogReader({ file: 'f.000001', offset: 4 }, new LogFiles(), this.tables, this.batch);

  constructor(checksums = true) {
    this.make.checksums = checksums;
    this.reader.outer(this.make.rotate('f.000001', 4, true));
    this.reader.outer(this.make.description());
  }

  read(...events: Buffer[]): readonly BinlogEvent[] {
    for (const event of events) this.reader.outer(event);
    return this.batch.take(this.reader.boundary).events;
  }

  /** A row of the wanted table in a transaction. */
  row(id: number): Buffer[] {
    return [
      this.make.anonymous(),
      this.make.query('BEGIN'),
      this.make.tableMap(7, 's', 't'),
      this.make.insert(7, id),
    ];
  }
}

const kinds = (events: readonly BinlogEvent[]): string[] => events.map(({ kind }) => kind);

describe('the events of the binary log', () => {
  for (const checksums of [true, false]) {
    it(`are read with${checksums ? '' : 'out'} checksums, and positions are those of transactions`, () => {
      const reading = new Reading(checksums);
      const start = reading.reader.boundary;
      const events = reading.read(...reading.row(5));
      expect(events).to.deep.equal([
        { kind: 'begin', position: start },
        { kind: 'rows', table: 'T', action: 'insert', rows: [{ after: ['5'] }] },
      ]);
      expect(reading.reader.boundary, 'within the transaction').to.deep.equal(start);
      const [commit] = reading.read(reading.make.xid());
      expect(commit).to.deep.equal({ kind: 'commit', position: reading.reader.boundary });
      expect(reading.reader.boundary.offset).to.be.above(start.offset);
    });
  }

  it('tell nothing of transactions about other tables, and the position moves all the same', () => {
    const reading = new Reading();
    const { make } = reading;
    const start = reading.reader.boundary.offset;
    expect(
      reading.read(
        make.anonymous(),
        make.query('BEGIN'),
        make.tableMap(9, 's', 'u'),
        make.insert(9, 1),
        make.xid(),
      ),
    ).to.deep.equal([]);
    expect(reading.reader.boundary.offset).to.be.above(start);
  });

  it('are counted beyond 4 GiB, where the log gives the position modulo 2^32', () => {
    const reading = new Reading();
    const near = 2 ** 32 - 10;
    reading.read(reading.make.rotate('f.000002', near));
    reading.read(reading.make.make(16, Buffer.alloc(8), { logPos: near + 31 }));
    expect(reading.reader.boundary).to.deep.equal({ file: 'f.000002', offset: near + 31 });
  });

  it('beyond 4 GiB are not led back by a heartbeat, which knows the position modulo 2^32 only', () => {
    const reading = new Reading();
    const beyond = 2 ** 32 + 40;
    reading.read(reading.make.rotate('f.000002', beyond - 31));
    reading.read(reading.make.make(16, Buffer.alloc(8), { logPos: beyond }));
    for (const type of [27, 41]) {
      const beat = reading.make.make(type, Buffer.from('f.000002'), { logPos: beyond });
      expect(kinds(reading.read(beat))).to.deep.equal(['heartbeat']);
      expect(reading.reader.boundary).to.deep.equal({ file: 'f.000002', offset: beyond });
    }
  });

  it('with a column more than the schema tells of: hidden by the server where it does so, else an alteration', () => {
    const BIGINT = { dataType: 'bigint', columnType: 'bigint', charset: null };
    const table = { ...TABLE, columns: [{ name: 'id', ...BIGINT }] };
    const map = new EventMaker().make(
      19,
      Buffer.concat([Buffer.from([7, 0, 0, 0, 0, 0, 1, 0]), Buffer.from('\x01s\0\x01t\0\x02\x08\x08\0\0')]),
    );
    const difference = '2 columns where there were 1';
    expect(new StreamedTables([table], false, true).map(7, map, map.length - 4)).to.equal(null);
    expect(new StreamedTables([table], false, false).map(7, map, map.length - 4)).to.deep.equal({
      table: 'T',
      difference,
    });
  });

  it('follow a table across its names, and know them again when the reading begins earlier', () => {
    const name = (table: string): { schema: string; table: string } => ({ schema: 's', table });
    const renames = new Map([
      ['RENAME t', { from: name('t'), to: name('old') }],
      ['RENAME back', { from: name('old'), to: name('t') }],
    ]);
    const tables = new StreamedTables([TABLE], false);
    const make = new EventMaker();
    const start = { file: 'f.000001', offset: 4 };
    const batch = new BatchBuilder(1000);
    const told = (reader: LogReader, ...events: Buffer[]): string[] => {
      for (const event of events) reader.outer(event);
      return batch
        .take(reader.boundary)
        .events.flatMap((event) =>
          event.kind === 'rows' ? event.rows.map(({ after }) => String(after?.[0])) : [],
        );
    };
    const reading = (from: typeof start): LogReader => {
      tables.goBackTo(from);
      const reader = new LogReader(from, new LogFiles(), tables, batch, (_, sql) => {
        const rename = renames.get(sql);
        return rename === undefined ? [] : [rename];
      });
      told(reader, make.rotate(from.file, from.offset, true), make.description());
      return reader;
    };
    const row = (id: number, table: string): Buffer[] => [
      ...[make.anonymous(), make.query('BEGIN')],
      ...[make.tableMap(id, 's', table), make.insert(id, id), make.xid()],
    ];
    const reader = reading(start);
    expect(told(reader, ...row(1, 't'), ...row(2, 'old'))).to.deep.equal(['1']);
    expect(told(reader, make.query('RENAME t'), ...row(3, 't'), ...row(4, 'old'))).to.deep.equal(['4']);
    expect(tables.isRenamed('T')).to.equal(true);
    const between = reader.boundary;
    expect(told(reader, make.query('RENAME back'), ...row(5, 't'), ...row(6, 'old'))).to.deep.equal(['5']);
    expect(told(reading(between), ...row(7, 't'), ...row(8, 'old'))).to.deep.equal(['8']);
    expect(told(reading(start), ...row(9, 't'), ...row(10, 'old'))).to.deep.equal(['9']);
  });

  it('with a wrong checksum are refused, whatever they are', () => {
    for (const which of ['xid', 'rotate', 'description'] as const) {
      const reading = new Reading();
      const event =
        which === 'rotate'
          ? reading.make.rotate('f.000002', 4)
          : which === 'xid'
            ? reading.make.xid()
            : reading.make.description();
      event[25] = (event[25] ?? 0) ^ 1;
      expect(() => reading.read(event), which)
        .to.throw('checksum')
        .with.property('code', 'LHM_BINLOG_UNREADABLE');
    }
  });

  it('take the mark of a file in use off a format description before they check it', () => {
    const reading = new Reading();
    const event = reading.make.description();
    event[17] = (event[17] ?? 0) | 1;
    expect(() => reading.read(event)).not.to.throw();
  });

  it('of an unknown kind are refused, unless the server says that they may be ignored', () => {
    const reading = new Reading();
    expect(() => reading.read(reading.make.make(99, Buffer.alloc(4)))).to.throw(/not known \(99\)/);
    expect(reading.read(reading.make.make(99, Buffer.alloc(4), { flags: 0x80 }))).to.deep.equal([]);
    for (const type of [3, 5, 13, 14, 17, 29, 35, 36, 37, 160, 161, 163, 164]) {
      expect(reading.read(reading.make.make(type, Buffer.alloc(4))), String(type)).to.deep.equal([]);
    }
  });

  it('that are an incident, or rows without a table map, are refused', () => {
    const reading = new Reading();
    expect(() => reading.read(reading.make.make(26, Buffer.alloc(4)))).to.throw('incident');
    expect(() => reading.read(reading.make.insert(77, 1))).to.throw('without a table map');
    expect(() => reading.read(reading.make.insert(0xffffff, 1))).not.to.throw();
  });

  it('with another length than they say, or cut short, are refused', () => {
    const reading = new Reading();
    const event = reading.make.xid();
    expect(() => reading.read(event.subarray(0, event.length - 1))).to.throw('bytes came as');
    const [, , map, row] = reading.row(1) as [Buffer, Buffer, Buffer, Buffer];
    reading.read(map);
    const short = Buffer.from(row.subarray(0, row.length - 6));
    short.writeUInt32LE(short.length + 4, 9);
    expect(() => reading.read(withChecksum(short))).to.throw(RangeError);
  });

  it('that break off within a transaction tell so', () => {
    const reading = new Reading();
    const broken = reading.read(
      ...reading.row(1),
      reading.make.rotate('f.000002', 4),
      reading.make.description(),
    );
    expect(kinds(broken)).to.deep.equal(['begin', 'rows', 'rotate', 'rollback']);
    expect(kinds(reading.read(...reading.row(2), reading.make.xid()))).to.deep.equal([
      'begin',
      'rows',
      'commit',
    ]);
    const next = reading.read(...reading.row(3), ...reading.row(4), reading.make.query('COMMIT'));
    expect(kinds(next)).to.deep.equal(['begin', 'rows', 'rollback', 'begin', 'rows', 'commit']);
  });

  it('know a table by its name, not by a number that a new server gives to another', () => {
    const reading = new Reading();
    const { make } = reading;
    expect(reading.read(make.tableMap(7, 's', 'u'), make.insert(7, 1))).to.deep.equal([]);
    expect(kinds(reading.read(make.tableMap(7, 's', 't'), make.insert(7, 1)))).to.deep.equal([
      'begin',
      'rows',
    ]);
    expect(reading.read(make.tableMap(7, 's', 'tt'), make.insert(7, 1))).to.deep.equal([]);
    expect(reading.read(make.tableMap(7, 'st', ''), make.insert(7, 1))).to.deep.equal([]);
  });

  it('tell once that a table was altered, and none of its rows', () => {
    const reading = new Reading();
    const { make } = reading;
    reading.read(...reading.row(1), make.xid());
    const altered = reading.read(
      make.tableMap(8, 's', 't', 2),
      make.insert(8, 1, 2),
      make.tableMap(9, 's', 't', 2),
    );
    expect(altered).to.deep.equal([
      { kind: 'altered', table: 'T', difference: '2 columns where there were 1' },
    ]);
    expect(reading.read(...reading.row(2), make.xid())).to.deep.equal([]);
  });

  it('pass over which columns may be NULL, which MariaDB tells wrongly at times', () => {
    const reading = new Reading();
    reading.read(...reading.row(1), reading.make.xid());
    const { make } = reading;
    expect(
      kinds(reading.read(make.tableMap(8, 's', 't', 1, 1), make.insert(8, 1), make.xid())),
    ).to.deep.equal(['begin', 'rows', 'commit']);
  });

  it('tell statements in the character set of who ran them', () => {
    const reading = new Reading();
    const { make } = reading;
    const latin1 = Buffer.from([0, 1, 2, 3, 4, 4, 8, 0, 8, 0, 8, 0]);
    const event = make.make(
      2,
      Buffer.concat([
        Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, latin1.length, 0]),
        latin1,
        Buffer.from('s\0DROP TABLE `é`', 'latin1'),
      ]),
    );
    const told = reading.read(make.query('DROP TABLE `日本`'), event);
    expect(told.map((one) => (one.kind === 'statement' ? one.sql : ''))).to.deep.equal([
      'DROP TABLE `日本`',
      'DROP TABLE `é`',
    ]);
  });
});
