import type { Token } from './sql-tokens';

/** A name as it stands in a statement. `start` and `end` are the offsets of the name itself, quotes included. */
export interface NameAt {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** Reads a run of significant tokens from left to right. */
export class TokenCursor {
  private at: number;

  constructor(
    private readonly tokens: readonly Token[],
    from = 0,
    private readonly to = tokens.length,
  ) {
    this.at = from;
  }

  /** The token `ahead` of the next one. */
  peek(ahead = 0): Token | undefined {
    return this.at + ahead < this.to ? this.tokens[this.at + ahead] : undefined;
  }

  get done(): boolean {
    return this.at >= this.to;
  }

  /** Index of the next token among all. */
  get position(): number {
    return this.at;
  }

  skip(count = 1): void {
    this.at += count;
  }

  /** Whether the next tokens are these keywords or punctuation characters; a keyword is never quoted. */
  comes(...words: readonly string[]): boolean {
    return words.every((word, index) => isWord(this.peek(index), word));
  }

  /** Passes these words if they come next. */
  accept(...words: readonly string[]): boolean {
    if (!this.comes(...words)) return false;
    this.at += words.length;
    return true;
  }

  /** Passes the first of these words that comes next and returns it. */
  acceptOne(words: readonly string[]): string | null {
    return words.find((word) => this.accept(word)) ?? null;
  }

  /** Passes an identifier; of a qualified one (`emails.address`) it is the last part. */
  name(): NameAt | null {
    const path = this.path();
    return path[path.length - 1] ?? null;
  }

  /** Passes an identifier with its qualifiers and returns all parts; none if there is no identifier. */
  path(): NameAt[] {
    const parts: NameAt[] = [];
    do {
      const part = this.peek();
      if (part?.kind !== 'word' && part?.kind !== 'quoted') return parts;
      parts.push({ name: part.value, start: part.start, end: part.end });
      this.at += 1;
    } while (this.accept('.'));
    return parts;
  }
}

/** Whether the token is this keyword (in capitals) or this punctuation character. */
export function isWord(token: Token | undefined, word: string): boolean {
  if (token?.kind === 'word') return token.value.toUpperCase() === word;
  return token?.kind === 'punctuation' && token.value === word;
}
