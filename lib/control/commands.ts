import { messageOf } from '../database/server-error';
import type { Operator } from '../migration/operator';
import { formatCount, formatDuration, formatLine } from '../progress/format';
import type { LiveSettingName } from '../options/live-settings';
import { fileExists } from '../util/file-exists';
import { withoutPasswords } from '../util/without-passwords';
import { describeEnding, type Ending } from './ending';

/** What a command works with. */
export interface CommandContext {
  readonly operator: Operator;
  /** `schema.table` */
  readonly table: string;
  /** Whether what holds, releases or stops the migration must name the table (`control.forceNamed`). */
  readonly forceNamed: boolean;
  /** Settled when nothing more is done. Never rejects. */
  readonly ended: Promise<Ending>;
}

export interface Command {
  /** After the name in `help`. */
  readonly takes?: string;
  readonly help: string;
  /** The same command by other names: gh-ost's, mostly. */
  readonly also?: readonly string[];
  /** @param value what stood after `=`; null where nothing did */
  readonly run: (context: CommandContext, value: string | null) => Answer | Promise<Answer>;
}

export interface Answer {
  readonly text: string;
  readonly data?: unknown;
}

/** What was asked for cannot be done as it was asked; nothing was changed. */
export class BadCommand extends Error {}

const text = (words: string): Answer => ({ text: words });

/** One of the live settings, under a name of gh-ost's. */
function setting(name: LiveSettingName, help: string): Command {
  return {
    takes: '[=value]',
    help: `${help} (${name})`,
    run: async ({ operator }, value) => {
      const { settings } = operator;
      if (value !== null && value !== '?') await settings.setIfKnown(name, value);
      const found = settings.describe().find((one) => one.name === name);
      const idle = name.startsWith('binlog.') && operator.coordinates() === null;
      const why = idle ? '; without effect, as mode is triggers' : '';
      return text(`${name} = ${found?.value ?? ''} ${found?.unit ?? ''}`.trimEnd() + why);
    },
  };
}

/** For what would hit the wrong migration hard. */
function named(context: CommandContext, value: string | null): void {
  const said = value === null || value === '' ? null : value;
  if (said === null) {
    if (context.forceNamed) throw new BadCommand(`say which migration is meant: add =${context.table}`);
    return;
  }
  if (!isName(context, said))
    throw new BadCommand(`this is the migration of ${context.table}, not of ${said}`);
}

/** Where nothing can be done about the swap any more. */
function beforeSwap({ operator }: CommandContext): void {
  const settled = operator.settled();
  if (settled !== null) throw new BadCommand(settled.why);
}

/** Why it is held; where the table must be named, what stands after its name. */
function reasonOf(context: CommandContext, value: string | null): string {
  const said = value ?? '';
  if (isName(context, said)) return '';
  if (!context.forceNamed) return said;
  // A name may have blanks in it, too.
  for (let at = said.indexOf(' '); at >= 0; at = said.indexOf(' ', at + 1))
    if (isName(context, said.slice(0, at))) return said.slice(at + 1).trim();
  named(context, said);
  return '';
}

function isName({ table }: CommandContext, said: string): boolean {
  return said === table || said === table.slice(table.indexOf('.') + 1);
}

/** One that cannot be looked for would hold the swap back, whether it is there or not. */
async function lookedFor(path: string): Promise<string> {
  if (path === '') throw new BadCommand('say which file; cut-over releases the swap');
  await fileExists(path);
  return path;
}

/** Flag files are named while they are away, too: whoever wants to use one looks here for its path. */
function watchedFiles(operator: Operator): string[] {
  const { flagFile, additionalFlagFile } = operator.settings.throttle;
  const lines = Object.entries({ flagFile, additionalFlagFile }).flatMap(([option, file]) =>
    file === false ? [] : [`held while there is ${file} (throttle.${option})`],
  );
  const file = operator.postponedWhile();
  return file === null ? lines : [...lines, `swap held back while there is ${file} (cutOver.postponeUntil)`];
}

function whole(context: CommandContext): Answer {
  const { operator } = context;
  const now = operator.status();
  const settings = operator.settings.describe();
  const lines = [
    formatLine(now),
    `  running for ${formatDuration(now.elapsedMs)}, ${formatCount(now.rowsCopied)} rows copied, ${formatCount(now.changesApplied)} changes applied, ${formatCount(now.backlog)} waiting`,
    ...settings.map(({ name, value, unit }) => `  ${name} = ${value} ${unit}`),
    ...watchedFiles(operator).map((file) => `  ${file}`),
  ];
  return { text: lines.join('\n'), data: { ...now, pid: process.pid, settings } };
}

/** Everything that a person or a program can say to a running migration. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  help: {
    help: 'this list',
    run: () => text(helpText()),
  },
  sup: {
    help: 'how it stands, in one line',
    run: ({ operator }) => ({ text: formatLine(operator.status()), data: operator.status() }),
  },
  status: { help: 'how it stands, and every setting', also: ['info'], run: whole },
  wait: {
    help: 'answered when it has ended: how it ended',
    run: async ({ ended }) => {
      const ending = await ended;
      return { text: describeEnding(ending), data: ending };
    },
  },
  coordinates: {
    help: 'how far the binary log has been read (mode binlog)',
    run: ({ operator }) => text(operator.coordinates() ?? 'the binary log is not read: mode is triggers'),
  },
  applier: {
    help: 'the server that the migration writes to',
    also: ['inspector'],
    run: ({ operator }) => text(operator.server()),
  },
  'chunk-size': setting('chunk.rows', 'rows in a chunk; off sizes chunks by time'),
  'dml-batch-size': setting('binlog.batchRows', 'most changed rows applied at once (mode binlog)'),
  'max-lag-millis': setting('throttle.maxLagMs', 'how far a replica may lag'),
  'max-load': setting('throttle.maxLoad', 'status variables above which it holds, as Threads_running=50'),
  'critical-load': setting('throttle.criticalLoad', 'status variables above which it stops'),
  'nice-ratio': setting('throttle.niceRatio', 'rest after each step, in times of the step'),
  'throttle-query': setting('throttle.query', 'SQL whose number above 0 holds it'),
  'throttle-http': setting('throttle.http', 'URL whose answer other than 200 holds it'),
  'throttle-control-replicas': setting('throttle.replicas', 'URLs of replicas to watch'),
  throttle: {
    takes: '[=why]',
    help: 'hold copy, replay and comparison',
    also: ['pause', 'suspend'],
    run: (context, value) => {
      // It is shown in lines, on terminals and to hooks.
      beforeSwap(context);
      const why = withoutPasswords(reasonOf(context, value)).replace(/\p{Cc}+/gu, ' ');
      context.operator.pause(why === '' ? 'the operator' : `the operator (${why})`);
      return text('held until continue');
    },
  },
  'no-throttle': {
    takes: '[=table]',
    help: 'go on, unless something else holds it',
    also: ['unthrottle', 'resume', 'continue'],
    run: (context, value) => {
      named(context, value);
      context.operator.continue();
      return text('no longer held by the operator');
    },
  },
  postpone: {
    takes: '[=table]',
    help: 'hold the swap back until cut-over',
    run: (context, value) => {
      named(context, value);
      beforeSwap(context);
      context.operator.postpone();
      return text('the swap is held back until cut-over');
    },
  },
  'postpone-cut-over-flag-file': {
    takes: '[=path]',
    help: 'hold the swap back for as long as the file is there',
    run: async (context, value) => {
      const { operator } = context;
      if (value !== null && value !== '?') {
        const path = await lookedFor(value);
        beforeSwap(context);
        operator.postponeWhile(path);
      }
      return text(`the swap is held back by ${operator.postponedWhile() ?? 'no file'}`);
    },
  },
  'cut-over': {
    takes: '[=table]',
    help: 'let the swap follow, whatever held it back',
    also: ['unpostpone', 'no-postpone'],
    run: (context, value) => {
      named(context, value);
      const settled = context.operator.settled();
      if (settled?.as === 'swapped') return text(settled.why);
      beforeSwap(context);
      context.operator.cutOverNow();
      return text('the swap follows as soon as everything else allows it');
    },
  },
  panic: {
    takes: '[=table]',
    help: 'stop at once, and take everything back',
    run: (context, value) => {
      named(context, value);
      const { operator } = context;
      const settled = operator.settled();
      if (settled?.as === 'swapped')
        throw new BadCommand(
          `${settled.why}. Nothing can be taken back, and the migration goes on to its end.`,
        );
      if (settled !== null) return text(settled.why);
      operator.panic('told to by panic');
      return text(
        operator.status().phase === 'cut-over'
          ? 'stopping; everything is taken back, unless the tables are swapped first: how it ends says which'
          : 'stopping; everything is taken back',
      );
    },
  },
};

/** The command that is called so, first of all or also. */
export function commandNamed(name: string): Command | null {
  for (const [first, command] of Object.entries(COMMANDS))
    if (first === name || command.also?.includes(name) === true) return command;
  return null;
}

function helpText(): string {
  const lines = Object.entries(COMMANDS).map(([name, { takes = '', help, also = [] }]) => {
    const others = also.length === 0 ? '' : ` (also ${also.join(', ')})`;
    return `  ${(name + takes).padEnd(36)}${help}${others}`;
  });
  return ['A line each: name, name=value, or name=? to ask.', ...lines, SETTINGS].join('\n');
}

const SETTINGS = `  ${'<setting>[=value]'.padEnd(36)}any setting that status lists, as throttle.maxLagMs=500`;

/**
 * Does what was said. Bad input changes nothing and is answered.
 *
 * @throws BadCommand, or the Refusal of a setting that takes no such value
 */
export async function runCommand(
  context: CommandContext,
  name: string,
  value: string | null,
): Promise<Answer> {
  const known = commandNamed(name);
  if (known !== null) return known.run(context, value);
  const found = context.operator.settings.describe().find((one) => one.name === name);
  if (found === undefined)
    throw new BadCommand(`there is no command '${withoutPasswords(name).slice(0, 60)}'; help lists them`);
  return setting(found.name as LiveSettingName, '').run(context, value);
}

/** For the answer. */
export function whatWentWrong(error: unknown): string {
  const { hint } = error as { hint?: unknown };
  const said = messageOf(error);
  return typeof hint === 'string' && !said.endsWith(hint) ? `${said} ${hint}` : said;
}
