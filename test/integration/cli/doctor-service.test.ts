import { afterAll, beforeAll, expect, test } from 'vitest';
import { AGENT_YAML, givenAgent } from '../../support/fixtures.ts';
import { tooLong } from '../../unit/cli/cli-io.ts';
import { type CliHarness, startCliHarness } from './harness.ts';

let cli: CliHarness;
beforeAll(async () => {
  cli = await startCliHarness();
});
afterAll(() => cli.close());

interface Checks {
  checks: { name: string; state: string; detail: string; mend?: string }[];
}
const webhooks = async (env: Record<string, string> = {}) => {
  const { checks } = (await cli.runWith({ env }, 'doctor', '--output', 'json')).json<Checks>();
  return checks.find(({ name }) => name === 'webhooks');
};

test('doctor names the agents that wait for callbacks nobody can sign, and only then', async () => {
  expect(await webhooks()).toBeUndefined();
  await givenAgent(cli.services);
  expect(await webhooks()).toBeUndefined();
  await givenAgent(cli.services, `${AGENT_YAML}callback: { url: "https://agent.test/secret-path" }\n`);
  const found = await webhooks();
  expect(found).toMatchObject({
    state: 'warn',
    detail: expect.stringMatching(/^desk has a callback or webhook url.*nothing is sent$/),
    mend: expect.stringContaining('16 random characters'),
  });
  expect(found?.detail).not.toContain('secret-path');
  expect(await webhooks({ PORTCULLIS_WEBHOOK_SECRET: 'sixteen characters' })).toMatchObject({ state: 'ok' });
  expect(tooLong((await cli.run('doctor')).out)).toEqual([]);
});

test('doctor names what is switched off: no fault, and what people look for first', async () => {
  const cleo = await cli.as('cleo', 'on-call');
  await cleo('disable', 'desk', '--reason', 'storm');
  const { checks } = (await cli.run('doctor', '--output', 'json')).json<Checks>();
  expect(checks.filter(({ name }) => name === 'SWITCHED OFF')).toMatchObject([
    {
      state: 'warn',
      detail: expect.stringMatching(/desk, since .* by cleo: storm/),
      mend: expect.stringContaining('enable agent/desk'),
    },
  ]);
  await cleo('enable', 'desk', '--reason', 'it is over');
  expect((await cli.run('doctor')).out).not.toContain('SWITCHED OFF');
});
