/** What the operator says of the swap: nothing, `closed` (hold it back), or `open` (whatever the options say). */
export class CutOverGate {
  private said: 'nothing' | 'open' | 'closed' = 'nothing';
  /** Instead of what `cutOver.postponeUntil` says; null when nothing was said. */
  flagFile: string | null = null;

  isOpen(): boolean {
    return this.said === 'open';
  }

  isClosed(): boolean {
    return this.said === 'closed';
  }

  open(): void {
    this.said = 'open';
  }

  reset(): void {
    this.said = 'nothing';
  }

  close(): void {
    this.said = 'closed';
  }
}
