import { clock } from '../../util/clock';

/** How long a connection that does not answer is waited for at the end, in ms, before it is cut. */
const LAST_ANSWER_MS = 2000;

/** @param answered never rejects */
export async function unlessSilent(answered: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const silent = new Promise<void>((resolve) => (timer = clock.setTimeout(resolve, LAST_ANSWER_MS)));
  await Promise.race([answered, silent]);
  clock.clearTimeout(timer);
}
