import { fileExists } from '../../util/file-exists';
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

  /** @throws Error when it cannot be looked for, which holds as well */
  async check(): Promise<Verdict> {
    return (await fileExists(this.path)) ? hold(this.name) : CLEAR;
  }
}
