import { expect } from 'chai';
import { createConnection, type ConnectionOptions } from 'mysql2';

import { exactSettings } from '../../lib/database/connection-settings';

/** What mysql2 makes of the settings; it connects to nothing, since nobody listens there. */
function askedAfterMs(given: Readonly<Record<string, unknown>>): number | undefined {
  const connection = createConnection({ port: 1, ...exactSettings(given) } as ConnectionOptions);
  connection.on('error', () => undefined);
  connection.destroy();
  return (connection as unknown as { config: { keepAliveInitialDelay?: number } }).config
    .keepAliveInitialDelay;
}

describe('a connection that is silent', () => {
  it('is asked after 2 minutes whether it is there', () => {
    expect(askedAfterMs({})).to.equal(120_000);
    expect(askedAfterMs({ keepAliveInitialDelay: undefined })).to.equal(120_000);
    expect(askedAfterMs({ uri: 'mysql://me@localhost:1/there' })).to.equal(120_000);
  });

  it('is asked when the caller wants it', () => {
    for (const ms of [5000, 0]) expect(askedAfterMs({ keepAliveInitialDelay: ms })).to.equal(ms);
    const uri = 'mysql://me@localhost:1/there?keepAliveInitialDelay=7000';
    expect(askedAfterMs({ uri })).to.equal(7000);
  });
});
