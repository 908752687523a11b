import { chmod, lstat, unlink } from 'node:fs/promises';
import { messageOf } from '../database/server-error';
import { debugLog } from '../events/debug-log';
import { clock } from '../util/clock';

const log = debugLog('control');

/** An object, so that a spec need not wait. */
export const vigilance = {
  /** How often it is looked whether the socket is still there, in ms. */
  lookMs: 5000,
};

/**
 * The file of a unix socket, for its owner alone, for as long as the migration runs. Folders for temporary files are cleaned by
 * age, and a migration may take days: one whose socket was removed would go on, and nobody could speak to it any more.
 */
export class KeptSocket {
  private inode: number | null = null;
  private timer: NodeJS.Timeout | null = null;
  private looking: Promise<void> = Promise.resolve();
  private over = false;
  private failed = false;

  constructor(
    readonly path: string,
    /** Listens at the path, and on no earlier socket any more. */
    private readonly listen: () => Promise<void>,
    private readonly warn: (message: string) => void,
  ) {}

  /** @throws Error when it cannot be had */
  async open(): Promise<void> {
    await this.make();
    this.lookLater();
  }

  /** Never rejects. What somebody else has put there meanwhile is left alone. */
  async remove(): Promise<void> {
    this.over = true;
    if (this.timer !== null) clock.clearTimeout(this.timer);
    await this.looking;
    if (this.inode !== null && (await inodeOf(this.path)) === this.inode)
      await unlink(this.path).catch(() => undefined);
  }

  private async make(): Promise<void> {
    await this.listen();
    this.inode = await inodeOf(this.path);
    await chmod(this.path, 0o600);
    log('listening on %s', this.path);
  }

  private lookLater(): void {
    if (this.over) return;
    this.timer = clock.setTimeout(() => {
      this.looking = this.look().finally(() => this.lookLater());
    }, vigilance.lookMs);
    // Nobody who merely looks keeps the process.
    this.timer.unref();
  }

  /** Never rejects. */
  private async look(): Promise<void> {
    if ((await inodeOf(this.path)) !== null) return;
    log('%s is gone', this.path);
    try {
      await this.make();
      this.failed = false;
    } catch (error) {
      if (!this.failed)
        this.warn(
          `The control socket '${this.path}' was removed, and cannot be made again: ${messageOf(error)}.`,
        );
      this.failed = true;
    }
  }
}

async function inodeOf(path: string): Promise<number | null> {
  return (await lstat(path).catch(() => null))?.ino ?? null;
}
