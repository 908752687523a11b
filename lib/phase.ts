/** The phases of a migration, in the order in which they run. `clean-up` also runs after a failure in any other. */
export const PHASES = [
  'plan',
  'preflight',
  'clone',
  'capture',
  'copy',
  'catch-up',
  'verify',
  'postpone',
  'cut-over',
  'clean-up',
] as const;

export type Phase = (typeof PHASES)[number];
