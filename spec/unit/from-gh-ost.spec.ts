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
critical-load-hibernate-seconds`;

const PT_OSC = `
alter alter-foreign-keys-method analyze-before-swap ask-pass binary-index channel charset
check-alter check-foreign-keys check-interval check-plan check-replication-filters check-slave-lag
chunk-index chunk-index-columns chunk-size chunk-size-limit chunk-time config critical-load data-dir
default-engine defaults-file dry-run execute fail-on-stopped-replication force help history
history-table host max-flow-ctl max-lag max-load mysql_ssl new-table-name no-drop-new-table
no-drop-old-table no-drop-triggers no-swap-tables null-to-not-null only-same-schema-fks password
pause-file pid plugin port preserve-triggers print progress recurse recursion-method remove-data-dir
resume reverse-triggers set-vars skip-check-slave-lag slave-password slave-user sleep socket
statistics tries user version where`;

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
    it(`has every flag of ${tool.split(':')[0]!}`, () => {
      const [part] = page.slice(page.indexOf(`## ${tool}`) + 3).split('\n## ');
      for (const flag of flags.trim().split(/\s+/)) expect(part).to.contain(`\`--${flag}\``);
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
