/** Character sets that the driver cannot send statements in. */
const UNKNOWN_TO_DRIVER = new Set(['dec8', 'hp8', 'swe7', 'keybcs2', 'geostd8', 'eucjpms']);

/** From 0x80 on. */
const WINDOWS_1252 = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ';

export function canBeSent(charset: string): boolean {
  return !UNKNOWN_TO_DRIVER.has(charset);
}

/**
 * What to give the driver so that it sends the text in the session's character set. Its `latin1` is ISO 8859-1; the
 * servers' is Windows-1252, which has letters and signs where the other has control characters.
 */
export function sendable(sql: string, charset: string): string {
  if (charset !== 'latin1') return sql;
  return sql.replace(/[\u0100-\uffff]/g, (character) => {
    const at = WINDOWS_1252.indexOf(character);
    return at < 0 ? character : String.fromCharCode(0x80 + at);
  });
}
