import createDebug from 'debug';

/** One namespace for each folder of `lib`; `DEBUG=lhm:*` shows all, `DEBUG=lhm:sql` every statement. */
export function debugLog(folder: string): (format: string, ...values: unknown[]) => void {
  return createDebug(`lhm:${folder}`);
}
