import { messageOf } from '../../database/server-error';
import type { Problem } from '../../errors';
import { fileExists } from '../../util/file-exists';
import type { Check } from '../check';

/** A file that cannot be looked for would hold the migration for ever, most of them when all the work is done. */
export const flagFiles: Check = async ({ options }) => {
  const { flagFile, additionalFlagFile } = options.throttle;
  const problems: Problem[] = [];
  for (const [option, file] of Object.entries({
    'throttle.flagFile': flagFile,
    'throttle.additionalFlagFile': additionalFlagFile,
    'cutOver.postponeUntil': options.cutOver.postponeUntil,
  })) {
    if (typeof file !== 'string') continue;
    const why = await fileExists(file).then(() => null, messageOf);
    if (why === null) continue;
    problems.push({
      code: 'LHM_BAD_OPTION',
      message: `The file '${file}' (${option}) cannot be looked for: ${why}.`,
      hint: 'Name a file in a folder that this process may enter; the file itself need not be there.',
    });
  }
  return problems;
};
