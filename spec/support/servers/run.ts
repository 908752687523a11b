import { spawn } from 'node:child_process';

export interface RunResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string;
  readonly timeoutMs?: number;
  /** Called with the process id once there is one. */
  readonly onStart?: (pid: number) => void;
}

/** Runs a program to its end. A program that does not exist gives code null, as one that was killed does. */
export function run(command: readonly [string, ...string[]], options: RunOptions = {}): Promise<RunResult> {
  return new Promise((resolve) => {
    const [program, ...args] = command;
    const child = spawn(program, args, {
      env: childEnvironment(),
      timeout: options.timeoutMs ?? 600_000,
      killSignal: 'SIGKILL',
    });
    if (child.pid !== undefined) {
      options.onStart?.(child.pid);
    }
    const chunks = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (chunks.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (chunks.stderr += text));
    // A program may end without reading its input; its exit code tells more than our EPIPE.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
    child.on('error', (error) => resolve({ code: null, stdout: '', stderr: error.message }));
    child.on('close', (code) => resolve({ code, ...chunks }));
  });
}

export async function runOrThrow(
  command: readonly [string, ...string[]],
  options: RunOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await run(command, options);
  if (code === 0) {
    return stdout;
  }
  const said = `${stdout}\n${stderr}`.trim().split('\n').slice(-40).join('\n');
  throw new Error(`${command.join(' ')} failed (${String(code)})\n${said}`);
}

/**
 * Without what would put foreign libraries into the server, and with the messages in the language that we parse.
 * The sbin folders are not on an ordinary user's PATH, but dpkg looks for its helpers there.
 */
export function childEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('LD_'));
  const path = `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin`;
  return { ...Object.fromEntries(kept), LC_ALL: 'C', PATH: path };
}
