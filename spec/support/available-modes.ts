import { availableFlavors, type Flavor, type Mode } from './servers';

const MODES: readonly Mode[] = ['triggers', 'binlog'];

/** A server to test with, and where migrations on it are told of changes by. */
export interface ServerAndMode {
  readonly flavor: Flavor;
  readonly mode: Mode;
  /** For titles. */
  readonly on: string;
  /** All of them; every n-th where the mode is the second and was not asked for. */
  readonly every: <T>(n: number, all: readonly T[]) => readonly T[];
  /** All of them; none where the mode is the second and was not asked for: nothing in them depends on it. */
  readonly once: <T>(all: readonly T[]) => readonly T[];
  /** A test that has nothing to do with where changes come from: left out where the mode was not asked for. */
  readonly itOnce: (title: string, test: (this: Mocha.Context) => void | Promise<void>) => void;
}

/**
 * What the specs are run with: every server of `LHM_SERVERS`, in every mode of `LHM_MODES` ("triggers", "binlog" or
 * "all"). Without the latter, everything is run with triggers, and with the binary log what each spec says that the
 * second mode is worth trying with.
 */
export function serversAndModes(): readonly ServerAndMode[] {
  const asked = process.env['LHM_MODES'] ?? '';
  if (!['', 'all', ...MODES].includes(asked)) {
    // A typing error must not look like a green run.
    throw new Error(`LHM_MODES is "${asked}"; known are all, ${MODES.join(' and ')}`);
  }
  const modes = MODES.filter((mode) => ['', 'all', mode].includes(asked));
  return availableFlavors().flatMap((flavor) =>
    modes.map((mode): ServerAndMode => {
      const brief = asked === '' && mode === 'binlog';
      return {
        ...{ flavor, mode },
        on: mode === 'triggers' ? flavor : `${flavor}, mode ${mode}`,
        every: (n, all) => (brief ? all.filter((_, i) => i % n === 0) : all),
        once: (all) => (brief ? [] : all),
        itOnce: brief ? () => undefined : it,
      };
    }),
  );
}
