import { expect } from 'chai';

import { runCommand, type CommandContext } from '../../lib/control/commands';

describe('commands that must name the table', () => {
  const paused: string[] = [];
  const context = {
    operator: { settled: () => null, pause: (why: string) => paused.push(why) },
    table: 'shop.my own table',
    forceNamed: true,
  } as unknown as CommandContext;

  it('may give a reason behind a name that has blanks', async () => {
    for (const value of ['my own table', 'my own table for lunch', 'shop.my own table it is late'])
      await runCommand(context, 'throttle', value);
    expect(paused).to.deep.equal(['the operator', 'the operator (for lunch)', 'the operator (it is late)']);
    for (const value of ['my own', 'my owntable', 'lunch', 'orders for lunch', null])
      await runCommand(context, 'throttle', value).then(
        () => expect.fail(String(value)),
        (error: unknown) => expect((error as Error).message).to.match(/not of|say which migration/),
      );
    expect(paused).to.have.length(3);
  });
});
