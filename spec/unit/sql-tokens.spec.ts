import { expect } from 'chai';
import fc from 'fast-check';
import { modesOfSqlMode, significant, tokenize, type TokenizeOptions } from '../../lib/schema/sql-tokens';

function read(sql: string, options: TokenizeOptions = {}): string[] {
  return tokenize(sql, options).map(({ kind, value }) => `${kind}:${value}`);
}

describe('tokenize', () => {
  const cases: [what: string, sql: string, tokens: string[], options?: TokenizeOptions][] = [
    ['keywords and names', 'ADD x INT', ['word:ADD', 'word:x', 'word:INT']],
    ['a name in backticks', '`a``b` c', ['quoted:a`b', 'word:c']],
    ['a name of other letters', 'größe $x _y', ['word:größe', 'word:$x', 'word:_y']],
    ['a name with a no-break space', 'a\u00a0b', ['word:a\u00a0b']],
    ['a name that begins with a digit', '2fa_secret', ['word:2fa_secret']],
    ['a name like a broken float', '1ea 1e5x', ['word:1ea', 'word:1e5x']],
    ['digits behind a qualifier', 't.1e5', ['word:t', 'punctuation:.', 'word:1e5']],
    [
      'numbers',
      '1 1.5 .5 1e5 1.5e-3 0xFF 0b01',
      [1, 1.5, '.5', '1e5', '1.5e-3', '0xFF', '0b01'].map((n) => `number:${n}`),
    ],
    ['a hexadecimal name', '0xFG', ['word:0xFG']],
    ['a string', "'it''s'", ["string:it''s"]],
    ['a string with an escaped quote', "'it\\'s' x", ["string:it\\'s", 'word:x']],
    ['a string that ends with a backslash', "'C:\\\\' x", ['string:C:\\\\', 'word:x']],
    ['a backslash that does not escape', "'C:\\' x", ['string:C:\\', 'word:x'], { noBackslashEscapes: true }],
    ['a double-quoted string', '"a, b"', ['string:a, b']],
    ['a double-quoted name', '"a""b"', ['quoted:a"b'], { ansiQuotes: true }],
    ['a backslash in a double-quoted name', '"a\\" b', ['quoted:a\\', 'word:b'], { ansiQuotes: true }],
    ['prefixed literals', "N'a' x'0F' b'01' _utf8mb4'b'", ['string:a', 'string:0F', 'string:01', 'string:b']],
    ['a prefix that is a name', "name'a'", ['word:name', 'string:a']],
    [
      'user and system variables',
      "@x @`a b` @'c' @@session.sql_mode",
      ['variable:@x', 'variable:@a b', 'variable:@c', 'variable:@@session.sql_mode'],
    ],
    ['a dash comment', 'a -- b, c\nd', ['word:a', 'comment:-- b, c', 'word:d']],
    ['a dash comment at the end', 'a --', ['word:a', 'comment:--']],
    ['two minus signs', '5--1', ['number:5', 'punctuation:-', 'punctuation:-', 'number:1']],
    ['a hash comment', 'a#b\nc', ['word:a', 'comment:#b', 'word:c']],
    ['a block comment', "a/* ' */b", ['word:a', "comment:/* ' */", 'word:b']],
    ['a block comment does not nest', 'a /* /* */ b', ['word:a', 'comment:/* /* */', 'word:b']],
    ['an optimizer hint', 'SELECT /*+ x */ 1', ['word:SELECT', 'comment:/*+ x */', 'number:1']],
    ['an executable comment', '/*!80013 a */ b', ['comment:/*!80013', 'word:a', 'comment:*/', 'word:b']],
    ['one of MariaDB', '/*M!100100 a */', ['comment:/*M!100100', 'word:a', 'comment:*/']],
    ['one without a version', '/*! a*/', ['comment:/*!', 'word:a', 'comment:*/']],
    ['a string with the end of a comment in one', "/*! '*/' */", ['comment:/*!', 'string:*/', 'comment:*/']],
    [
      'a comment in one',
      '/*! a /* b */ c */',
      ['comment:/*!', 'word:a', 'comment:/* b */', 'word:c', 'comment:*/'],
    ],
    [
      'a skipped one',
      '/*!80013 a /* b */ c */ d',
      ['comment:/*!80013 a /* b */ c */', 'word:d'],
      { executableComments: 'comment' },
    ],
    ['an end without a beginning', 'a */', ['word:a', 'punctuation:*', 'punctuation:/']],
    [
      'punctuation',
      'a=(?,1);',
      [
        'word:a',
        'punctuation:=',
        'punctuation:(',
        'punctuation:?',
        'punctuation:,',
        'number:1',
        'punctuation:)',
        'punctuation:;',
      ],
    ],
    ['a string without an end', "a 'b", ['word:a', "unterminated:'b"]],
    ['a name without an end', 'a `b', ['word:a', 'unterminated:`b']],
    ['a comment without an end', 'a /* b', ['word:a', 'unterminated:/* b']],
    ['an executable comment without an end', '/*! a', ['unterminated:/*!', 'word:a']],
    ['a variable without an end', "@'a", ["unterminated:@'a"]],
    ['nothing', ' \t\r\n', []],
  ];
  for (const [what, sql, tokens, options] of cases) {
    it(`reads ${what}`, () => {
      expect(read(sql, options)).to.deep.equal(tokens);
    });
  }

  it('gives offsets with the quotes included', () => {
    expect(tokenize(" `a` N'b'").map(({ start, end }) => [start, end])).to.deep.equal([
      [1, 4],
      [5, 9],
    ]);
  });

  it('covers any text: tokens and white space between them give it back', () => {
    const pieces = fc.constantFrom(
      ...[
        "'",
        '"',
        '`',
        '\\',
        '/*',
        '*/',
        '/*!',
        '/*!80013 ',
        '/*M!',
        '--',
        '-- ',
        '#',
        '\n',
        ' ',
        '(',
        ')',
        ',',
        ';',
      ],
      ...['@', '@@', '.', '1e5', '0x', "N'", "_utf8'", 'RENAME', 'ä', '\u{1F600}', '\0', 'x'],
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fc.oneof(pieces, fc.string({ maxLength: 3 }))).map((parts) => parts.join('')),
    );
    const options = fc.record({
      ansiQuotes: fc.boolean(),
      noBackslashEscapes: fc.boolean(),
      executableComments: fc.constantFrom('code' as const, 'comment' as const),
    });
    fc.assert(
      fc.property(text, options, (sql, given) => {
        let at = 0;
        for (const token of tokenize(sql, given)) {
          expect(sql.slice(at, token.start)).to.match(/^[ \t\n\v\f\r]*$/);
          expect(token.end).to.be.greaterThan(token.start);
          at = token.end;
        }
        expect(sql.slice(at)).to.match(/^[ \t\n\v\f\r]*$/);
      }),
      { numRuns: 2000 },
    );
  });

  it('reads quoted text back, whatever is in it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        const [token, ...rest] = tokenize('`' + name.replaceAll('`', '``') + '`');
        expect(token).to.include({ kind: 'quoted', value: name });
        expect(rest).to.be.empty;
      }),
    );
  });
});

describe('significant', () => {
  it('leaves the comments out', () => {
    const tokens = significant(tokenize('a /* b */ /*! c */ -- d'));
    expect(tokens.map(({ value }) => value)).to.deep.equal(['a', 'c']);
  });
});

describe('modesOfSqlMode', () => {
  it('finds the two that matter', () => {
    expect(modesOfSqlMode('STRICT_ALL_TABLES,ANSI_QUOTES')).to.deep.equal({
      ansiQuotes: true,
      noBackslashEscapes: false,
    });
    expect(modesOfSqlMode('NO_BACKSLASH_ESCAPES')).to.deep.equal({
      ansiQuotes: false,
      noBackslashEscapes: true,
    });
    expect(modesOfSqlMode('')).to.deep.equal({ ansiQuotes: false, noBackslashEscapes: false });
  });
});
