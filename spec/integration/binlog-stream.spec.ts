import { expect } from 'chai';

import { comparePositions } from '../../lib/binlog/binlog-position';
import type { BinlogEvent } from '../../lib/binlog/binlog-events';
import { BinlogFixture, rowsOf } from '../support/binlog/fixture';
import { availableFlavors } from '../support/servers';

const kinds = (events: readonly BinlogEvent[]): string[] => events.map(({ kind }) => kind);

for (const flavor of availableFlavors()) {
  describe(`the binary log of ${flavor}`, function () {
    this.timeout(180_000);
    let fixture: BinlogFixture;

    before(async () => {
      fixture = await BinlogFixture.start(flavor);
      await fixture.query(
        'CREATE TABLE t (id INT NOT NULL PRIMARY KEY, v VARCHAR(50), n INT UNSIGNED) ENGINE = InnoDB',
      );
      await fixture.query('CREATE TABLE other (id INT NOT NULL PRIMARY KEY) ENGINE = InnoDB');
      await fixture.query('CREATE TABLE plain (id INT NOT NULL PRIMARY KEY) ENGINE = MyISAM');
    });

    after(() => fixture.end());

    it('tells rows between begin and commit, with the wanted columns in the wanted order', async () => {
      const from = await fixture.position();
      const stream = await fixture.stream([await fixture.table('t', ['n', 'id'])], from);
      await fixture.query('BEGIN');
      await fixture.query("INSERT INTO t VALUES (1, 'a', 4000000000), (2, 'b', NULL)");
      await fixture.query('INSERT INTO other VALUES (1)');
      await fixture.query('UPDATE t SET n = 5 WHERE id = 2');
      await fixture.query('COMMIT');
      await fixture.query('DELETE FROM t WHERE id = 1');
      await fixture.query('DELETE FROM other');
      const events = await fixture.upTo(stream, await fixture.mark());
      expect(kinds(events)).to.deep.equal(['begin', 'rows', 'rows', 'commit', 'begin', 'rows', 'commit']);
      expect(rowsOf(events, 't').map(({ action, rows }) => ({ action, rows }))).to.deep.equal([
        { action: 'insert', rows: [{ after: ['4000000000', '1'] }, { after: [null, '2'] }] },
        { action: 'update', rows: [{ before: [null, '2'], after: ['5', '2'] }] },
        { action: 'delete', rows: [{ before: ['4000000000', '1'] }] },
      ]);
      const places = events.flatMap((event) =>
        'position' in event && event.position ? [{ ...event.position, begins: event.kind === 'begin' }] : [],
      );
      expect(comparePositions(places[0]!, from)).to.be.at.least(0);
      for (const [at, place] of places.slice(1).entries()) {
        // A transaction may begin where the one before has ended.
        expect(comparePositions(place, places[at]!)).to.be.above(place.begins ? -1 : 0);
      }
      stream.close();
      expect(await stream.next()).to.equal(null);
    });

    it('tells statements, those within a transaction too', async () => {
      const stream = await fixture.stream([await fixture.table('t', ['id'])], await fixture.position());
      await fixture.query('CREATE TABLE made (id INT PRIMARY KEY)');
      await fixture.query('TRUNCATE TABLE other');
      await fixture.query("SET SESSION binlog_format = 'STATEMENT'");
      await fixture.query("INSERT INTO t VALUES (10, 'statement', 1)");
      await fixture.query("SET SESSION binlog_format = 'ROW'");
      await fixture.query('CREATE TABLE chosen SELECT id FROM t');
      await fixture.query('DROP TABLE made, chosen');
      const events = await fixture.upTo(stream, await fixture.mark());
      stream.close();
      const told = events.flatMap((event) => (event.kind === 'statement' ? [event] : []));
      expect(told.map(({ schema }) => schema)).to.include('streamed');
      const find = (text: RegExp) => told.filter(({ sql }) => text.test(sql));
      expect(find(/CREATE TABLE made/)[0]?.position).to.be.an('object');
      expect(find(/TRUNCATE TABLE other/)[0]?.position).to.be.an('object');
      expect(find(/INSERT INTO t VALUES/)[0]?.position).to.equal(null);
      expect(find(/CREATE TABLE .?chosen/)).to.have.length(1);
      expect(find(/DROP TABLE/)).to.have.length.at.least(1);
      const insert = events.findIndex((event) => event.kind === 'statement' && /INSERT/.test(event.sql));
      expect(kinds(events.slice(insert - 1, insert + 2))).to.deep.equal(['begin', 'statement', 'commit']);
      await fixture.query('DELETE FROM t');
    });

    it('tells distributed transactions by their xid', async () => {
      const stream = await fixture.stream([await fixture.table('t', ['id'])], await fixture.position());
      const xid = "'a''b','branch',7";
      for (const [id, how] of [
        [20, 'COMMIT'],
        [21, 'ROLLBACK'],
      ] as const) {
        await fixture.query(`XA START ${xid}`);
        await fixture.query(`INSERT INTO t (id) VALUES (${id})`);
        await fixture.query(`XA END ${xid}`);
        await fixture.query(`XA PREPARE ${xid}`);
        await fixture.query(`XA ${how} ${xid}`);
      }
      await fixture.query("XA START 'one'");
      await fixture.query('INSERT INTO t (id) VALUES (22)');
      await fixture.query("XA END 'one'");
      await fixture.query("XA COMMIT 'one' ONE PHASE");
      const events = await fixture.upTo(stream, await fixture.mark());
      stream.close();
      expect(kinds(events)).to.deep.equal([
        ...['begin', 'rows', 'xa-prepare', 'xa-commit'],
        ...['begin', 'rows', 'xa-prepare', 'xa-rollback'],
        ...['begin', 'rows', 'commit'],
      ]);
      const text = `X'${Buffer.from("a'b").toString('hex')}',X'${Buffer.from('branch').toString('hex')}',7`;
      expect(events.flatMap((event) => ('xid' in event ? [event.xid] : []))).to.deep.equal([
        text,
        text,
        text,
        text,
      ]);
      await fixture.query('DELETE FROM t');
    });

    it('leaves out what was rolled back, and tells changes that could not be', async () => {
      const stream = await fixture.stream(
        [await fixture.table('t', ['id']), await fixture.table('plain')],
        await fixture.position(),
      );
      await fixture.query('BEGIN');
      await fixture.query('INSERT INTO t (id) VALUES (30)');
      await fixture.query('ROLLBACK');
      await fixture.query('BEGIN');
      await fixture.query('INSERT INTO t (id) VALUES (31)');
      await fixture.query('SAVEPOINT s');
      await fixture.query('INSERT INTO t (id) VALUES (32)');
      await fixture.query('ROLLBACK TO s');
      await fixture.query('COMMIT');
      await fixture.query('INSERT INTO plain VALUES (1)');
      const events = await fixture.upTo(stream, await fixture.mark());
      stream.close();
      expect(kinds(events)).to.deep.equal(['begin', 'rows', 'commit', 'begin', 'rows', 'commit']);
      expect(rowsOf(events, 't').flatMap(({ rows }) => rows)).to.deep.equal([{ after: ['31'] }]);
      expect(rowsOf(events, 'plain')).to.have.length(1);
      await fixture.query('DELETE FROM t');
    });

    it('goes on over many files, and gives every change once when it begins again in between', async () => {
      const table = await fixture.table('t', ['id']);
      const from = await fixture.position();
      for (let n = 0; n < 60; n++) {
        await fixture.query(`INSERT INTO t (id) VALUES (${100 + n})`);
        if (n % 3 === 0) await fixture.query('FLUSH BINARY LOGS');
        if (n % 7 === 0) await fixture.query('FLUSH TABLES');
      }
      const mark = await fixture.mark();
      const ids: string[] = [];
      let position = from;
      for (let done = false, round = 0; !done; round++) {
        const stream = await fixture.stream([table], position, { batchRows: 1 });
        // Some batches by each stream, and then another one from where it stood.
        for (let batches = 0; batches <= round % 5 && !done; batches++) {
          const batch = (await stream.next())!;
          ids.push(...rowsOf(batch.events, 't').flatMap(({ rows }) => rows.map(({ after }) => after![0]!)));
          done = rowsOf(batch.events, 'mark').some(({ rows }) => rows[0]!.after![0] === String(mark));
          position = batch.position;
        }
        stream.close();
      }
      // What a stream was in the middle of comes again from its beginning.
      expect([...new Set(ids)]).to.deep.equal(Array.from({ length: 60 }, (_, n) => String(100 + n)));
      await fixture.query('DELETE FROM t');
    });
  });
}
