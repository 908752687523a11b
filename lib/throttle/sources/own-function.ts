import { CLEAR, hold, type ThrottleFunction, type ThrottleSource, type Verdict } from '../throttle-source';

/** A function of the caller's. */
export class OwnFunction implements ThrottleSource {
  readonly name: string;

  constructor(
    private readonly ask: ThrottleFunction,
    ordinal: number,
  ) {
    this.name =
      ask.name === '' ? `throttle.sources[${ordinal}]` : `throttle.sources[${ordinal}] (${ask.name})`;
  }

  async check(signal: AbortSignal): Promise<Verdict> {
    const answer = await this.ask(signal);
    if (answer === null) return CLEAR;
    return typeof answer === 'string' ? hold(answer === '' ? this.name : answer) : answer;
  }
}
