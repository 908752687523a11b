import { stat } from 'node:fs/promises';
import { CLEAR, hold, type ThrottleSource, type Verdict } from '../throttle-source';

/** A file that holds the migration for as long as it is there. */
export class FlagFile implements ThrottleSource {
  readonly name: string;

  constructor(
    private readonly path: string,
    option: 'flagFile' | 'additionalFlagFile',
  ) {
    this.name = `the file '${path}' (throttle.${option})`;
  }

  async check(): Promise<Verdict> {
    try {
      await stat(this.path);
      return hold(this.name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return CLEAR;
      throw error;
    }
  }
}
