import type { CutOverResult } from '../cut-over/cut-over';
import type { HookContext } from '../options/options';
import { analyzeGhost } from './analyze-ghost';
import type { Assembled } from './assemble';
import { estimateRows } from './estimate-rows';
import { countRowsBeside } from './exact-row-count';
import { postpone } from './postpone';
import { catchUp, copyRows, swap, verifyRows } from './run-migration';
import { tellBriefRetention } from './tell-brief-retention';
import { whatChanged } from './what-changed';

/** From the first row to the swap: all that goes on while triggers capture what the application writes. */
export async function fillAndSwap(parts: Assembled, context: () => HookContext): Promise<CutOverResult> {
  try {
    return await fill(parts, context);
  } catch (error) {
    throw await whatChanged(error, parts);
  }
}

async function fill(parts: Assembled, context: () => HookContext): Promise<CutOverResult> {
  const { work, observer, recovery, progress, pair } = parts;
  const { hooks } = parts;
  await hooks.run('beforeRowCopy');
  const name = { schema: pair.schema, table: pair.origin.table };
  const rowsEstimated = await recovery.steadily(() => estimateRows(observer, name));
  progress.update({ rowsEstimated });
  await recovery.steadily(() => tellBriefRetention(parts, rowsEstimated));
  const count = countRowsBeside(parts);
  await copyRows(parts).catch(async (error: unknown) => {
    await count.stop(false);
    throw error;
  });
  await hooks.waitFor('onRowCountComplete', count.stop(true));
  await catchUp(parts);
  await hooks.run('afterRowCopy');
  await verifyRows(parts);
  await recovery.steadily(() => analyzeGhost(work, pair, parts.server));
  await postpone(parts, context);
  await hooks.run('beforeCutOver');
  await parts.replicaTest?.begin();
  return swap(parts);
}
