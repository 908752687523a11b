/** Why a demo has to stop. */
export class Stopped extends Error {
  constructor(readonly by: NodeJS.Signals) {
    super(`Stopped by ${by}`);
  }

  /** As a shell reports it. */
  get exitCode(): number {
    return 128 + NUMBERS[this.by as keyof typeof NUMBERS];
  }
}

const NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/** The first signal aborts with {@link Stopped}; the second ends this process at once, and all it started with it. */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of Object.keys(NUMBERS) as (keyof typeof NUMBERS)[]) {
    process.on(name, () => {
      const reason = new Stopped(name);
      if (controller.signal.aborted) process.exit(reason.exitCode);
      console.error('\nStopping the migration and the server. Once more to stop at once.');
      controller.abort(reason);
    });
  }
  return controller.signal;
}

/** Rejects as soon as the demo is to stop; what the work was about is then abandoned. */
export async function unless<T>(stop: AbortSignal, work: Promise<T>): Promise<T> {
  stop.throwIfAborted();
  let onAbort = (): void => undefined;
  const stopped = new Promise<never>((_, reject) => {
    onAbort = () => reject(stop.reason as Stopped);
    stop.addEventListener('abort', onAbort, { once: true });
  });
  return Promise.race([work, stopped]).finally(() => stop.removeEventListener('abort', onAbort));
}
