import { inTime } from './marks';

/** How long a connection that does not answer is waited for at the end, in ms, before it is cut. */
const LAST_ANSWER_MS = 2000;

/** Never rejects. */
export async function unlessSilent(answered: Promise<unknown>): Promise<void> {
  await inTime(answered, LAST_ANSWER_MS).catch(() => undefined);
}
