import { spawn, type ChildProcess } from 'node:child_process';

export interface Watchdog {
  /** The process that is to die with us. */
  readonly watch: (pid: number) => void;
  /** Nothing is left to be watched. */
  readonly dismiss: () => void;
}

/**
 * `read` ends when the last writer of the pipe is gone: that is when we exit, in whatever way. By then the process
 * id could belong to somebody else, so it must still be a process with our datadir on its command line.
 */
const END_SERVER = `
folder=$1
pid=
while read -r line; do pid=$line; done
is_ours() {
  [ -n "$pid" ] || return 1
  if [ -d /proc/self ]; then
    [ -r "/proc/$pid/cmdline" ] && tr '\\0' '\\n' <"/proc/$pid/cmdline" | grep -qxF -- "--datadir=$folder/data"
  else
    ps -ww -o args= -p "$pid" 2>/dev/null | grep -qF -- "--datadir=$folder/data"
  fi
}
if is_ours; then kill -KILL "$pid"; fi
tries=0
while is_ours && [ $tries -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
rm -rf -- "$folder"
`;

/** Ends a server and removes its folder when this process is gone, even by SIGKILL. */
export function watchdogFor(folder: string): Watchdog {
  return watchdog(END_SERVER, folder);
}

/** A detached shell that waits for this process to end. It keeps neither us nor a terminal waiting. */
export function watchdog(script: string, argument: string): Watchdog {
  const shell = spawn('/bin/sh', ['-c', script, 'lhm-watchdog', argument], {
    // A group of its own: Ctrl-C goes to all of the terminal's group, and ours must first see us gone.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: '/',
  });
  shell.unref();
  const pipe = shell.stdin;
  unref(pipe);
  shell.on('error', () => undefined);
  pipe.on('error', () => undefined);
  return {
    watch: (pid) => void pipe.write(`${pid}\n`),
    dismiss: () => pipe.destroy(),
  };
}

/** At run time it is a socket, which can be told not to keep the event loop alive. */
function unref(pipe: NonNullable<ChildProcess['stdin']>): void {
  (pipe as unknown as { unref?: () => void }).unref?.();
}
