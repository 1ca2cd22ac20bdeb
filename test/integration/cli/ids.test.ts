import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withdrawAction } from '../../../src/actions/withdraw.ts';
import { answerAction } from '../../../src/approvals/answer.ts';
import { shortId } from '../../../src/cli/text/ids.ts';
import {
  agentActor,
  approverActor,
  givenAdopted,
  givenPendingAction,
  givenToken,
} from '../../support/fixtures.ts';
import { tooLong } from '../../unit/cli/cli-io.ts';
import { type CliHarness, startCliHarness } from './harness.ts';

let cli: CliHarness;
beforeAll(async () => {
  cli = await startCliHarness();
  await givenAdopted(cli.services);
});
afterAll(() => cli.close());

/** Two actions whose ids begin alike: the first nine of their digits. */
async function givenTwins(): Promise<[string, string]> {
  const ids = ['00000000-1111-4000-8000-000000000001', '00000000-1112-4000-8000-000000000001'] as const;
  for (const id of ids) {
    const { id: made } = await givenPendingAction(cli.services);
    const { sql } = await import('kysely');
    await sql`INSERT INTO action SELECT (jsonb_populate_record(a, jsonb_build_object('id', ${id}::text,
      'idempotency_key', ${id}::text))).* FROM action a WHERE id = ${made}`.execute(cli.services.db.sql);
    await sql`INSERT INTO action_private SELECT (jsonb_populate_record(p, jsonb_build_object('action_id', ${id}::text))).*
      FROM action_private p WHERE action_id = ${made}`.execute(cli.services.db.sql);
  }
  return [...ids];
}

test('so much of an id as is unique is enough; less says what it may mean', async () => {
  const { id } = await givenPendingAction(cli.services);
  for (const text of [id, shortId(id), id.slice(0, 18), shortId(id).toUpperCase()])
    expect((await cli.run('action', 'show', text, '--output', 'json')).json()).toMatchObject({ id });
  cli.services.clock.advance(1);
  const [one, other] = await givenTwins();
  const unclear = await cli.run('action', 'show', '00000000');
  expect(unclear).toMatchObject({ code: 2 });
  expect(unclear.err).toContain(`"00000000" may mean both ${one}, ${other}`);
  expect(await cli.run('action', 'show', '00000000-1112')).toMatchObject({ code: 0 });
  const list = await cli.run('action', 'list', '--state', 'pending');
  expect(list.out).toContain('00000000-1112');
  expect(list.out).toContain(`${shortId(id)}  `);
  expect(list.out).not.toContain(id);
});

test.each(['abc', 'ffffffff', 'zzzzzzzz', '%%%%%%%%', '12345678-', '12345678--'])(
  '%s is no action',
  async (text) => {
    const { code, err } = await cli.run('action', 'show', text);
    expect(code).toBe(2);
    expect(err).toContain(`There is no action "${text}"`);
  },
);

test('a token of one agent finds nothing of another by its beginning', async () => {
  const { id } = await givenPendingAction(cli.services);
  const { token } = await givenToken(cli.services, ['auditor'], { agent: 'other' });
  const env = { PORTCULLIS_TOKEN: token };
  const { err } = await cli.runWith({ env }, 'action', 'show', shortId(id));
  expect(err).toContain('There is no action');
});

test('tokens are listed and revoked by what is shown of their ids', async () => {
  await cli.run('token', 'create', '--role', 'agent', '--agent', 'desk', '--attribute', 'tier=gold');
  const list = await cli.run('token', 'list', '--agent', 'desk');
  expect(list.out).toMatch(/^[0-9a-f]{8} {2}agent +agent desk +without an end/m);
  expect(list.out).toContain('tier=gold');
  expect(tooLong(list.out)).toEqual([]);
  const short = /^[0-9a-f]{8}/m.exec(list.out)?.[0] ?? '';
  expect((await cli.run('token', 'revoke', short)).out).toContain(`token ${short} is not accepted any more`);
  expect((await cli.run('token', 'list', '--agent', 'desk')).out).toContain('No tokens.');
  expect((await cli.run('token', 'list', '--agent', 'desk', '--all')).out).toContain('REVOKED');
  expect(await (await cli.as('ben', 'auditor'))('token', 'list')).toMatchObject({ code: 3 });
});

test('apply says which tokens it would cut off, and what to make before', async () => {
  const { writeFileSync } = await import('node:fs');
  const { AGENT_YAML } = await import('../../support/fixtures.ts');
  const { id } = await givenToken(cli.services, ['agent'], { agent: 'desk', attributes: { tier: 'gold' } });
  const more = AGENT_YAML.replace(
    'attributes: { tier: string }',
    'attributes: { tier: string, region: string }',
  );
  writeFileSync(`${cli.cwd}/more.yaml`, more);
  const shown = await cli.runWith({ answers: [false] }, 'apply', 'more.yaml');
  const flat = shown.out.replace(/\s+/g, ' ');
  expect(flat).toContain(`CUTS OFF token ${shortId(id)}, which has no attribute "region"`);
  expect(flat).toContain('portcullis token create --role agent --agent desk --attribute region=<string>');
  expect(flat).not.toContain('no attribute "tier"');
  const same = await cli.run('apply', 'agent.yaml');
  expect(same.out).not.toContain('CUTS OFF');
});

test('action ask --attribute is vouched for by an admin, for one question', async () => {
  const ask = ['action', 'ask', 'desk', 'cancel', '--args', '{"id":"R-9"}', '--output', 'json'];
  expect((await cli.run(...ask)).json()).toMatchObject({ reasons: [{ code: 'attribute_missing' }] });
  const asked = await cli.run(...ask, '--attribute', 'tier=gold');
  expect(asked.json()).toMatchObject({ segment: 'gold', state: 'pending' });
  expect((await cli.run('token', 'list', '--agent', 'desk', '--output', 'json')).json()).toMatchObject({
    tokens: [{ attributes: { tier: 'gold' } }],
  });
  const wrong = await cli.run(...ask, '--attribute', 'teir=gold');
  expect(wrong.err).toContain('Did you mean \\"tier\\"');
  const agent = await givenToken(cli.services, ['agent'], { agent: 'desk' });
  const env = { PORTCULLIS_TOKEN: agent.token };
  const refused = await cli.runWith({ env }, ...ask.slice(0, -2), '--attribute', 'tier=gold');
  expect(refused).toMatchObject({ code: 3 });
  expect(refused.err).toContain('portcullis token create --role agent --agent desk --attribute tier=gold');
});

test('approving what is void since then is refused, also when one had approved it before', async () => {
  const { id } = await givenPendingAction(cli.services, { tool: 'refund', args: { amount: 5 } });
  await answerAction(cli.services, approverActor('ana'), { id, verdict: 'approve' });
  await withdrawAction(cli.services, agentActor(), { id, reason: 'not needed' });
  const again = await cli.run('approvals', 'approve', id, '--yes');
  expect(again.code).toBe(1);
  expect(again.flat).toContain('NOT approved');
});

test('status --watch shows what changed, until it is stopped', async () => {
  const interrupt = new AbortController();
  const seen: string[] = [];
  const olga = await cli.as('olga', 'release-manager');
  await olga('apply', 'release-2.yaml', '--yes');
  await olga('rollout', 'start', 'desk', '2', '--reason', 'x', '--none-yet', 'x');
  const watching = cli.runWith(
    { interrupted: () => interrupt.signal, onOut: (text) => void seen.push(text) },
    ...['rollout', 'status', 'desk', '--watch', '--output', 'json'],
  );
  await expect.poll(() => seen.length).toBe(1);
  await sleep(100);
  await olga('rollout', 'pause', 'desk', '--reason', 'holiday');
  await expect.poll(() => seen.length).toBe(2);
  interrupt.abort();
  expect(await watching).toMatchObject({ code: 0 });
  expect(seen.map((line) => JSON.parse(line).status)).toEqual(['running', 'paused']);
});

test('a rollout is found by a part of its id; an ended one suggests nothing', async () => {
  const olga = await cli.as('olga', 'release-manager');
  const { id } = (await olga('rollout', 'status', 'desk', '--output', 'json')).json<{ id: string }>();
  const last = id.split('-').at(-1) ?? '';
  expect((await olga('rollout', 'status', last, '--output', 'json')).json()).toMatchObject({ id });
  const cleo = await cli.as('cleo', 'on-call');
  await cleo('rollout', 'rollback', 'desk', '--segment', 'gold', '--reason', 'x');
  expect((await olga('rollout', 'status', 'desk')).out).toMatch(/Next:\n.*resume.*\n.*reenter/);
  // On-call may take back, and not bring again.
  expect((await cleo('rollout', 'status', 'desk')).out).toMatch(
    /Next, by somebody who may:\n.*resume.*\n.*reenter/,
  );
  await cleo('rollout', 'rollback', last, '--reason', 'x');
  expect((await olga('rollout', 'status', 'desk')).out).not.toContain('Next:');
});
