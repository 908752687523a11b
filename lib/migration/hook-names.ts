import type { HookOptions } from '../options/options';

export type HookName = Exclude<keyof HookOptions, 'directory' | 'hint' | 'scriptTimeoutMs' | 'statusEveryMs'>;

/** What a hook is called as an executable, after `lhm-`: gh-ost's names, where it has one. */
export const SCRIPTS: Readonly<Record<HookName, string>> = {
  onStartup: 'on-startup',
  onValidated: 'on-validated',
  onRowCountComplete: 'on-rowcount-complete',
  beforeRowCopy: 'on-before-row-copy',
  onBatchCopyRetry: 'on-batch-copy-retry',
  afterRowCopy: 'on-row-copy-complete',
  onBeginPostponed: 'on-begin-postponed',
  beforeCutOver: 'on-before-cut-over',
  onStopReplication: 'on-stop-replication',
  onStartReplication: 'on-start-replication',
  afterCutOver: 'on-after-cut-over',
  onStatus: 'on-status',
  onInteractiveCommand: 'on-interactive-command',
  onSuccess: 'on-success',
  onFailure: 'on-failure',
};
