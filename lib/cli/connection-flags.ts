import type { Command } from 'commander';

/** Where the server is. */
export function addConnectionFlags(command: Command): Command {
  return command
    .option('--url <url>', 'mysql://user@host:port/database; default: LHM_URL in the environment')
    .option('--ask-pass', 'ask for the password, or read it from stdin')
    .option('--password-file <path>', 'a file that holds the password')
    .option('--knexfile <path>', 'take the connection from a knexfile')
    .option('--env <name>', 'which of its environments');
}
