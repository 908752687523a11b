/** What the operator says of the swap: nothing, `closed` (hold it back), or `open` (whatever the options say). */
export class CutOverGate {
  private said: 'nothing' | 'open' | 'closed' = 'nothing';

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
}
