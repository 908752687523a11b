import { installedServer } from '../local/installed-server';
import { startLocal } from '../local/local-server';
import { NotAvailable, type Source } from './source';

/** A server program that is installed on this machine, started on a temporary datadir. */
export const fromPath: Source = async (flavor, options) => {
  const found = await installedServer(flavor);
  return typeof found === 'string' ? new NotAvailable(found) : startLocal(found, options);
};
