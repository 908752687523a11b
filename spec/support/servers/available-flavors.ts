import type { Flavor } from './types';

const ALL: readonly Flavor[] = ['mysql', 'mariadb'];

const isFlavor = (name: string): name is Flavor => (ALL as readonly string[]).includes(name);

/** The servers to test with: `LHM_SERVERS` ("mysql", "mariadb" or "mysql,mariadb"), or both. */
export function availableFlavors(): readonly Flavor[] {
  const names = (process.env['LHM_SERVERS'] ?? '').split(/[\s,]+/).filter((name) => name !== '');
  const unknown = names.find((name) => !isFlavor(name));
  if (unknown !== undefined) {
    // A typing error must not look like a green run.
    throw new Error(`LHM_SERVERS names "${unknown}"; known are ${ALL.join(' and ')}`);
  }
  return names.length === 0 ? ALL : ALL.filter((flavor) => names.includes(flavor));
}
