/** What the operator says of the swap: nothing, `closed` (hold it back), or `open` (whatever the options say). */
export class CutOverGate {
  private said: 'nothing' | 'open' | 'closed' = 'nothing';
  private file: string | null = null;

  /** Instead of what `cutOver.postponeUntil` says; null when nothing was said. */
  get flagFile(): string | null {
    return this.file;
  }

  isOpen(): boolean {
    return this.said === 'open';
  }

  isClosed(): boolean {
    return this.said === 'closed';
  }

  open(): void {
    this.said = 'open';
  }

  close(): void {
    this.said = 'closed';
  }

  /** For as long as the file is there: what was said before is no longer meant. */
  closeWhile(file: string): void {
    this.file = file;
    this.said = 'nothing';
  }
}
