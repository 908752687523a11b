/** As SQL takes it: `XA ROLLBACK X'6162',X'',1`. The same transaction has the same text, however it was given. */
export function xidText(gtrid: Buffer, bqual: Buffer, formatId: number): string {
  // A server takes longer ones, and the event of the PREPARE has 32 bits of them.
  return `X'${gtrid.toString('hex')}',X'${bqual.toString('hex')}',${formatId >>> 0}`;
}

/** The body of an XA_PREPARE event, which also stands for a commit in one phase. */
export function readXaPrepare(body: Buffer): { xid: string; onePhase: boolean } {
  const gtridLength = body.readUInt32LE(5);
  const bqualLength = body.readUInt32LE(9);
  const gtrid = body.subarray(13, 13 + gtridLength);
  const bqual = body.subarray(13 + gtridLength, 13 + gtridLength + bqualLength);
  return { onePhase: body[0] !== 0, xid: xidText(gtrid, bqual, body.readInt32LE(1)) };
}

export interface XaStatement {
  readonly verb: 'start' | 'end' | 'prepare' | 'commit' | 'rollback';
  readonly xid: string;
  readonly onePhase: boolean;
}

const XA =
  /^XA\s+(START|BEGIN|END|PREPARE|COMMIT|ROLLBACK)\s+X'([0-9a-f]*)'\s*,\s*X'([0-9a-f]*)'\s*,\s*(\d+)(\s+ONE\s+PHASE)?\s*$/i;

/** An XA statement as servers write it into the log; null when it is none. */
export function readXaStatement(sql: string): XaStatement | null {
  const [, verb, gtrid = '', bqual = '', formatId = '1', onePhase] = XA.exec(sql) ?? [];
  if (verb === undefined) return null;
  const lower = verb.toLowerCase();
  return {
    verb: (lower === 'begin' ? 'start' : lower) as XaStatement['verb'],
    xid: xidText(Buffer.from(gtrid, 'hex'), Buffer.from(bqual, 'hex'), Number(formatId)),
    onePhase: onePhase !== undefined,
  };
}
