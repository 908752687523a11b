import { setTimeout as sleep } from 'node:timers/promises';

import { ask, type Answer } from '../client';
import type { Connection } from '../types';

export interface Patience {
  readonly timeoutMs: number;
  /** Whether there is still something to wait for. */
  readonly isAlive: () => boolean;
  /** Whether it is our server that answers, and not another one that has the same port. */
  readonly isOurs: (answer: Answer) => boolean;
}

/** Connects until the server answers; undefined if it never does. */
export async function waitUntilReady(
  connection: Connection,
  { timeoutMs, isAlive, isOurs }: Patience,
): Promise<Answer | undefined> {
  const deadline = Date.now() + timeoutMs;
  while (isAlive() && Date.now() < deadline) {
    const answer = await ask(connection, 2_000).catch(() => undefined);
    if (answer !== undefined && isOurs(answer)) {
      return answer;
    }
    await sleep(50);
  }
  return undefined;
}
