import { Command, CommanderError } from 'commander';
import { cleanUpCommand } from './commands/clean-up';
import { migrateCommand } from './commands/migrate';
import { planCommand } from './commands/plan';
import { statusCommand } from './commands/status';
import { steerCommands } from './commands/steer';
import { watchCommand } from './commands/watch';
import { describeError, EXIT, exitCodeOf } from './exit-codes';
import { outliveReaders, redact, redactStderr, tell } from './secrets';

/** A command says by which code the process ends. */
export type Ends = (code: number) => void;

/** Runs one command line to its end. Never rejects. @returns the exit code */
export async function runProgram(args: readonly string[]): Promise<number> {
  redactStderr();
  outliveReaders();
  let code: number = EXIT.done;
  const ends: Ends = (by) => (code = by);
  const program = new Command('lhm').description(
    'Changes the schema of large, busy MySQL and MariaDB tables. Exit codes: 0 done, 2 refused and untouched, 3 taken back, 4 swapped but with an error, 5 unknown.',
  );
  const output = {
    writeOut: (text: string) => process.stdout.write(redact(text)),
    writeErr: (text: string) => process.stderr.write(redact(text)),
  };
  for (const command of [
    planCommand(ends),
    migrateCommand(ends),
    cleanUpCommand(ends),
    statusCommand(ends),
    watchCommand(ends),
    ...steerCommands(ends),
  ])
    program.addCommand(command);
  for (const command of [program, ...program.commands]) command.exitOverride().configureOutput(output);
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.refused;
    tell(describeError(error));
    return exitCodeOf(error);
  }
  return code;
}
