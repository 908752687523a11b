import { Refusal, type Problem } from '../errors';

/** @throws Refusal with the code of the only problem, or LHM_BAD_OPTIONS with all of them */
export function refuseBadOptions(problems: readonly Problem[]): void {
  const [first] = problems;
  if (first === undefined) return;
  const message = problems.map((problem) => `${problem.message} ${problem.hint}`).join('\n');
  throw new Refusal(problems.length === 1 ? first.code : 'LHM_BAD_OPTIONS', message, first.hint, {
    problems,
  });
}
