import { debianServer } from '../debian/debian-server';
import { startLocal } from '../local/local-server';
import { NotAvailable, type Source } from './source';

/** Debian's packages, unpacked into a folder of ours. */
export const fromDebian: Source = async (flavor, options) => {
  const found = await debianServer(flavor, options.log ?? (() => undefined));
  return typeof found === 'string' ? new NotAvailable(found) : startLocal(found, options);
};
