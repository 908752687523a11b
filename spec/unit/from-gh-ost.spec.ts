import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

import { commandNamed } from '../../lib/control/commands';
import { SCRIPTS } from '../../lib/migration/hook-names';
import { allFields } from '../../lib/options/fields';
import { FIELDS } from '../../lib/options/option-fields';

const page = readFileSync(resolve(__dirname, '../../docs/from-gh-ost.md'), 'utf8');

/** What the page says of things here: the second column of its tables, and later ones. */
const ours = page
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(2)
      .join('|'),
  );

/** Options and groups of them. */
function isOption(path: string): boolean {
  return path in FIELDS || allFields(FIELDS).some((one) => one.path === path);
}

/** All that it has, at version 1.1.7 and in what has come since. */
const GH_OST = `
host assume-master-host port mysql-timeout user password master-user master-password conf ask-pass
charset ssl ssl-ca ssl-cert ssl-key ssl-allow-insecure database table alter attempt-instant-ddl
storage-engine exact-rowcount concurrent-rowcount allow-on-master allow-master-master
allow-nullable-unique-key approve-renamed-columns skip-renamed-columns tungsten discard-foreign-keys
skip-foreign-key-checks skip-strict-mode allow-zero-in-date aliyun-rds gcp azure gtid execute
test-on-replica test-on-replica-skip-replica-stop migrate-on-replica ok-to-drop-table
initially-drop-old-table initially-drop-ghost-table timestamp-old-table cut-over
force-named-cut-over force-named-panic switch-to-rbr assume-rbr cut-over-exponential-backoff
exponential-backoff-max-interval chunk-size dml-batch-size default-retries panic-on-warnings
cut-over-lock-timeout-seconds nice-ratio max-lag-millis replication-lag-query
throttle-control-replicas throttle-query throttle-http throttle-http-interval-millis
throttle-http-timeout-millis ignore-http-errors heartbeat-interval-millis throttle-flag-file
throttle-additional-flag-file postpone-cut-over-flag-file panic-flag-file initially-drop-socket-file
serve-socket-file serve-tcp-port hooks-path hooks-hint hooks-hint-owner hooks-hint-token
hooks-status-interval replica-server-id allow-setup-metadata-lock-instruments
binlogsyncer-max-reconnect-attempts include-triggers trigger-suffix remove-trigger-suffix-if-exists
skip-port-validation checkpoint checkpoint-seconds resume revert old-table quiet verbose debug stack
help version check-flag force-table-names max-load critical-load critical-load-interval-millis
critical-load-hibernate-seconds analyze-ghost-table-before-cutover`;

/** All that `pt-online-schema-change --help` lists in Debian's percona-toolkit 3.2.1 and 3.7.1. */
const PT_OSC = `
alter alter-foreign-keys-method analyze-before-swap ask-pass binary-index buffer-stdout channel charset
check-alter check-foreign-keys check-interval check-plan check-replica-lag check-replication-filters
check-slave-lag check-unique-key-change chunk-index chunk-index-columns chunk-size chunk-size-limit
chunk-time config critical-load data-dir database default-engine defaults-file drop-new-table
drop-old-table drop-triggers dry-run execute fail-on-stopped-replication force help history
history-table host max-flow-ctl max-lag max-load mysql_ssl new-table-name null-to-not-null
only-same-schema-fks password pause-file pid plugin port preserve-triggers print progress quiet recurse
recursion-method remove-data-dir remove-tablespace replica-password replica-user resume
reverse-triggers set-vars skip-check-replica-lag skip-check-slave-lag slave-password slave-user sleep
socket statistics swap-tables tries user version version-check where`;

/** What its sources take: `large_hadron_migrate` of 2011, and `Lhm.change_table` of SoundCloud and Shopify up to 4.5. */
const LHM_OPTIONS = `
chunk_size wait id_window stride throttle start limit atomic_switch throttler throttler_options printer
retriable verifier reconnect_with_consistent_host force_default_engine delay allowed_lag check_only
current_config healthy_range initial_timeout max_timeout backoff_reduction_factor min_stride_size
time_throttler replica_lag_throttler slave_lag_throttler threads_running_throttler`;

/** What its block is given, and the module's own functions. */
const LHM_METHODS = `
m.ddl m.add_column m.change_column m.rename_column m.remove_column m.add_index m.add_unique_index
m.remove_index m.filter Lhm.change_table Lhm.cleanup Lhm.cleanup_current_run Lhm.setup Lhm.connection
Lhm.setup_throttler Lhm.logger`;

const words = (text: string): string[] => text.trim().split(/\s+/);

/** A part of the page, by what its title begins with. */
function partOf(title: string): string {
  const start = page.indexOf(`## ${title}`);
  expect(start, title).to.be.above(0);
  return page.slice(start + 3).split('\n## ')[0]!;
}

/** What stands in the first column of its table. */
const theirs = (title: string): string[] =>
  partOf(title)
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.split(/(?<!\\)\|/)[1]!);

describe('the page for those who come from gh-ost', () => {
  it('names only options that there are', () => {
    const groups = new RegExp(`\`((?:${Object.keys(FIELDS).join('|')})(?:\\.\\w+)*)(?=[\`:])`, 'g');
    const named = ours.flatMap((text) => [...text.matchAll(groups)].map(([, path]) => path!));
    expect(named).to.have.length.above(50);
    expect(named.filter((path) => !isOption(path))).to.deep.equal([]);
  });

  for (const [tool, flags] of [
    ['gh-ost: flags', GH_OST],
    ['pt-online-schema-change', PT_OSC],
  ] as const)
    it(`has every flag of ${tool.split(':')[0]!}, and no other`, () => {
      const named = theirs(tool).flatMap((text) =>
        [...text.matchAll(/`--([\w-]+)`/g)].map(([, flag]) => flag!),
      );
      expect([...new Set(named)].sort()).to.deep.equal(words(flags).sort());
    });

  it('has every option and method of the Large Hadron Migrator', () => {
    const named = theirs('Large Hadron Migrator').join('\n');
    for (const option of words(LHM_OPTIONS)) expect(named).to.match(new RegExp(`\`:${option}\\b`));
    for (const method of words(LHM_METHODS)) expect(named).to.match(new RegExp(`\`${method}\\b`));
    expect(named).to.contain('`default_values`');
  });

  it('names every hook, and only commands that there are', () => {
    for (const script of Object.values(SCRIPTS).filter((name) => name !== 'on-after-cut-over'))
      expect(page).to.contain(`\`lhm-${script}\``);
    const commands = /## gh-ost: commands\n([^#]*)/.exec(page)![1]!;
    const named = [...commands.matchAll(/`([a-z-]+)`/g)].map(([, name]) => name!).filter((n) => n !== 'lhm');
    expect(named).to.have.length.above(25);
    expect(named.filter((name) => commandNamed(name) === null)).to.deep.equal([]);
  });
});
