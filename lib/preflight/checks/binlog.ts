import { binlogFilters } from '../../binlog/binlog-position';
import type { Problem } from '../../errors';
import type { Check } from '../check';

/** With a minimal image, rows are told by the primary key, or by the first unique one that has no NULL. */
const WHOLE_KEYS = new Set(['FULL', 'FULL_NODUP', 'NOBLOB']);

/** What reading changes from the binary log needs. Each problem names the statement that mends it. */
export const binlog: Check = async ({ session, server, name, options, grants, grantee, variables }) => {
  if (options.mode !== 'binlog') return [];
  const value = (variable: string): string => variables.get(variable)?.toUpperCase() ?? '';
  const problems: Problem[] = [];
  if (!['ON', '1'].includes(value('log_bin'))) {
    return [
      {
        code: 'LHM_BINLOG_OFF',
        message: 'The server writes no binary log.',
        hint: "Start it with log_bin, or use mode: 'triggers'.",
      },
    ];
  }
  const format = value('binlog_format');
  if (format !== 'ROW' && format !== 'STATEMENT') {
    problems.push({
      code: 'LHM_BINLOG_FORMAT',
      message: `binlog_format is ${format}, under which changes may be logged as statements, which do not tell what rows are changed.`,
      hint: "SET GLOBAL binlog_format = 'ROW'; connections opened from then on use it. Or use mode: 'triggers'.",
    });
  }
  if (server.flavor === 'mysql' && !['ON', '1'].includes(value('binlog_order_commits'))) {
    problems.push({
      code: 'LHM_BINLOG_ORDER',
      message:
        'binlog_order_commits is OFF: changes may become visible in another order than that of the binary log.',
      hint: "SET GLOBAL binlog_order_commits = ON; or use mode: 'triggers'.",
    });
  }
  if (!WHOLE_KEYS.has(value('binlog_row_image')) && value('binlog_row_image') !== 'MINIMAL') {
    problems.push({
      code: 'LHM_BINLOG_ROW_IMAGE',
      message: `binlog_row_image is ${value('binlog_row_image')}, which is not known.`,
      hint: "SET GLOBAL binlog_row_image = 'FULL'; or use mode: 'triggers'.",
    });
  }
  const missing = [
    'REPLICATION SLAVE',
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
