import { binlogOff } from '../../binlog/binlog-errors';
import { binlogFilters } from '../../binlog/binlog-position';
import type { Problem } from '../../errors';
import { isOn, type Check } from '../check';

/** Where one of them lacks the key of a changed row, it is noticed at that row. */
const KNOWN_IMAGES = new Set(['FULL', 'FULL_NODUP', 'NOBLOB', 'MINIMAL']);

/** What reading changes from the binary log needs. Each problem names the statement that mends it. */
export const binlog: Check = async ({
  session,
  server,
  name,
  options,
  source,
  grants,
  grantee,
  variables,
}) => {
  if (options.mode !== 'binlog') return [];
  const value = (variable: string): string => variables.get(variable)?.toUpperCase() ?? '';
  const problems: Problem[] = [];
  if (!isOn(variables, 'log_bin')) {
    const { code, message, hint } = binlogOff();
    return [{ code, message, hint }];
  }
  const format = value('binlog_format');
  if (format !== 'ROW' && format !== 'STATEMENT') {
    problems.push({
      code: 'LHM_BINLOG_FORMAT',
      message: `binlog_format is ${format}, under which changes may be logged as statements, which do not tell what rows are changed.`,
      hint: "SET GLOBAL binlog_format = 'ROW'; connections opened from then on use it. Or use mode: 'triggers'.",
    });
  }
  if (server.flavor === 'mysql' && !isOn(variables, 'binlog_order_commits')) {
    problems.push({
      code: 'LHM_BINLOG_ORDER',
      message:
        'binlog_order_commits is OFF: changes may become visible in another order than that of the binary log.',
      hint: "SET GLOBAL binlog_order_commits = ON; or use mode: 'triggers'.",
    });
  }
  if (!KNOWN_IMAGES.has(value('binlog_row_image'))) {
    problems.push({
      code: 'LHM_BINLOG_ROW_IMAGE',
      message: `binlog_row_image is ${value('binlog_row_image')}, which is not known.`,
      hint: "SET GLOBAL binlog_row_image = 'FULL'; or use mode: 'triggers'.",
    });
  }
  const missing = [
    ...(source === null ? ['REPLICATION SLAVE'] : []),
    server.flavor === 'mariadb' ? 'BINLOG MONITOR' : 'REPLICATION CLIENT',
  ].filter((privilege) => grants !== null && !grants.hasGlobal(privilege));
  if (missing.length > 0) {
    problems.push({
      code: 'LHM_MISSING_PRIVILEGE',
      message: `The account ${grantee} may not read the binary log: it lacks ${missing.join(', ')}.`,
      hint: `GRANT ${missing.join(', ')} ON *.* TO ${grantee}; or use mode: 'triggers'.`,
    });
    return problems;
  }
  const { only, ignored } = await binlogFilters(session);
  if (ignored.includes(name.schema) || (only.length > 0 && !only.includes(name.schema))) {
    problems.push({
      code: 'LHM_BINLOG_OFF',
      message: `The server keeps changes of '${name.schema}' out of its binary log (binlog_do_db, binlog_ignore_db).`,
      hint: "Start it without them, or use mode: 'triggers'.",
    });
  }
  return problems;
};
