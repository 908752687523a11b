import { COMMANDS } from '../../lib/control/commands';
import { ERROR_CODES } from '../../lib/errors';
import { EVENT_NAMES } from '../../lib/events/event-map';
import { SCRIPTS } from '../../lib/migration/hook-names';
import { allFields, describeField } from '../../lib/options/fields';
import { FIELDS } from '../../lib/options/option-fields';

const BEGIN = '<!-- made from the code by `npm run reference` -->';
const END = '<!-- end of what is made from the code -->';

/** Every option with what it takes, every event, hook, command and error code: for the README. */
export function reference(): string {
  const rows = [
    ...options().map(([name, takes]) => `| option | \`${name}\` | ${takes} |`),
    ...EVENT_NAMES.map((name) => `| event | \`${name}\` | |`),
    ...Object.entries(SCRIPTS).map(
      ([name, script]) => `| hook | \`${name}\` | executable \`lhm-${script}\` |`,
    ),
    ...Object.entries(COMMANDS).map(
      ([name, { takes = '', also = [], help }]) =>
        `| command | ${[name + takes, ...also].map((one) => `\`${one}\``).join(', ')} | ${escaped(help)} |`,
    ),
    `| error codes | [docs/errors.md](docs/errors.md) | ${ERROR_CODES.map((code) => `\`${code}\``).join(', ')} |`,
  ];
  return ['| what | name | |', '|---|---|---|', ...rows].join('\n');
}

/** The README with the reference in its place. */
export function withReference(readme: string): string {
  const [from, to] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (from < 0 || to < from) throw new Error('the README has no place for the reference');
  return `${readme.slice(0, from)}${BEGIN}\n\n${reference()}\n\n${readme.slice(to)}`;
}

/** Hooks are listed as such. */
function options(): [name: string, takes: string][] {
  return allFields(FIELDS)
    .filter(({ path, field }) => !(path.startsWith('hooks.') && field.kind === 'function'))
    .map(({ path, field }) => [
      path,
      escaped(field.kind === 'group' ? 'true or false' : describeField(field)),
    ]);
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|');
}
