import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { LiveSettings } from '../../options/live-settings';
import { CLEAR, hold, type ThrottleSource, type Verdict } from '../throttle-source';

const MOVED = ' and is not followed';

/** Of what is no opinion. */
const WHY: Readonly<Record<number, string>> = {
  ...{ 301: MOVED, 302: MOVED, 303: MOVED, 307: MOVED, 308: MOVED },
  405: ' to HEAD',
  501: ' to HEAD',
};

/** Somebody else's opinion, asked by HEAD: 200 lets the migration go on, everything else holds. */
export class Http implements ThrottleSource {
  constructor(private readonly settings: LiveSettings) {}

  /** Without what may be secret in it. */
  get name(): string {
    const { http } = this.settings.throttle;
    if (http === false) return 'throttle.http';
    const { origin, pathname } = new URL(http);
    return `throttle.http (${origin}${pathname})`;
  }

  async check(signal: AbortSignal): Promise<Verdict> {
    const { http } = this.settings.throttle;
    if (http === false) return CLEAR;
    const status = await statusOf(http, signal);
    return status === 200 ? CLEAR : hold(`${this.name}, which answered ${status}${WHY[status] ?? ''}`);
  }
}

function statusOf(url: string, signal: AbortSignal): Promise<number> {
  const request = url.startsWith('https:') ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    // No connection is kept that would keep the process.
    request(url, { method: 'HEAD', agent: false, signal }, (response) => {
      resolve(response.statusCode ?? 0);
      // Whatever it sends beyond that, it may have no end.
      response.destroy();
    })
      .on('error', reject)
      // Also without an error, as where it switches protocols; one that is waited for for ever is never asked again.
      .on('close', () => reject(new Error('it hung up without an answer')))
      .end();
  });
}
