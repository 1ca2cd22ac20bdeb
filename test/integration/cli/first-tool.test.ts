import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { completeAction } from '../../../src/actions/complete.ts';
import { shortId } from '../../../src/cli/text/ids.ts';
import type { WireAsked } from '../../../src/cli/wire.ts';
import { agentActor } from '../../support/fixtures.ts';
import { tooLong } from '../../unit/cli/cli-io.ts';
import { type CliHarness, startCliHarness } from './harness.ts';

const BIN = resolve(import.meta.dirname, '../../../bin/portcullis.js');
const ASK = [
  'action',
  'ask',
  'my-agent',
  'send_email',
  '--args',
  '{"to": "b@example.org", "subject": "Hello"}',
];

let cli: CliHarness;
let asked: WireAsked;

beforeAll(async () => {
  cli = await startCliHarness();
});
afterAll(() => cli.close());

test('init, and apply shows what would come and asks', async () => {
  expect(await cli.run('init', '--person', 'ana', '--dir', 'mine')).toMatchObject({ code: 0 });
  const files = ['mine/agent.yaml', 'mine/release-1.yaml'];
  const unasked = await cli.run('apply', ...files);
  expect(unasked).toMatchObject({ code: 2 });
  expect(unasked.err).toContain('Add --yes');
  const refused = await cli.runWith({ answers: [false] }, 'apply', ...files);
  expect(refused).toMatchObject({ code: 1 });
  expect(refused.out).toContain('Nothing was applied');
  expect((await cli.run('posture')).out).toContain('No agents yet');

  const applied = await cli.runWith({ answers: [true] }, 'apply', ...files);
  expect(applied).toMatchObject({ code: 0 });
  expect(applied.out).toContain('  + tool send_email');
  expect(applied.out).toContain('  + grant send_email: asks reviewers');
  expect(applied.out).toContain('testMode: owners may approve');
  expect(applied.out).toContain('portcullis adopt my-agent 1');
  expect(tooLong(applied.out)).toEqual([]);

  const again = await cli.run('apply', ...files);
  expect(again).toMatchObject({ code: 0 });
  expect(again.out).toContain('Nothing to apply.');
});

test('adopt, and a question waits for a person', async () => {
  expect((await cli.run('adopt', 'my-agent', '1', '--reason', 'first')).out).toContain(
    'is in force in default',
  );
  const result = await cli.run(...ASK, '--key', 'k-1', '--reason', 'She asked', '--output', 'json');
  expect(result.code).toBe(6);
  asked = result.json<WireAsked>();
  expect(asked).toMatchObject({ state: 'pending', idempotencyKey: 'k-1' });
  const again = await cli.run(...ASK, '--key', 'k-1');
  expect(again.out).toContain('WAITING for reviewers');
  expect(again.out).toContain(`portcullis approvals approve ${shortId(asked.id)}`);
});

test('it is listed, shown and approved, with the arguments that were seen', async () => {
  const list = await cli.run('action', 'list', '--state', 'pending');
  expect(list.out).toContain(shortId(asked.id));
  expect(list.flat).toContain('Send "Hello" to b@example.org');
  expect(tooLong(list.out)).toEqual([]);
  const shown = await cli.run('action', 'show', asked.id);
  expect(shown.out).toContain('TEST MODE');
  expect(shown.out).toContain('"to": "b@example.org"');
  expect(shown.out).toContain(asked.argsDigest);

  const approve = ['approvals', 'approve', asked.id, '--reason', 'fine'];
  const outdated = await cli.run(...approve, '--yes', '--digest', '00');
  expect(outdated).toMatchObject({ code: 1 });
  expect(outdated.err).toContain('Code: seen_outdated');
  const kept = await cli.runWith({ answers: [false] }, ...approve);
  expect(kept).toMatchObject({ code: 1 });
  expect(kept.err).toContain('"to": "b@example.org"');
  const approved = await cli.run(...approve, '--yes', '--digest', asked.argsDigest);
  expect(approved).toMatchObject({ code: 0 });
  expect(approved.flat).toContain('approved');
  expect((await cli.run(...approve, '--yes')).flat).toContain('said before');
  const changed = await cli.run('approvals', 'deny', asked.id, '--reason', 'no', '--yes');
  expect(changed).toMatchObject({ code: 1 });
  expect(changed.err).toContain('Code: not_pending');
});

test('asked again it begins, once, with a credential; a wrong one is reported', async () => {
  const begun = await cli.run(...ASK, '--key', 'k-1', '--reason', 'She asked', '--begin', '--output', 'json');
  expect(begun.code).toBe(0);
  expect(begun.json<WireAsked>().credential?.scopes).toEqual(['email:send']);
  expect(await cli.run('action', 'correct', asked.id, '--reason', 'too early')).toMatchObject({ code: 1 });
  const executionId = begun.json<WireAsked>().execution?.executionId ?? '';
  await completeAction(cli.services, agentActor({ agent: 'my-agent' }), {
    id: asked.id,
    executionId,
    ok: true,
  });
  expect((await cli.run('action', 'correct', asked.id, '--reason', 'wrong person')).out).toContain(
    'Reported as wrong',
  );
});

test('what no grant covers is denied, with the reason', async () => {
  const denied = await cli.run('action', 'ask', 'my-agent', 'delete_all', '--args', '{}');
  expect(denied).toMatchObject({ code: 1 });
  expect(denied.out).toContain('DENIED');
  expect(denied.out).toMatch(/Reasons\n {2}- .*\([a-z_]+\)/);
});

test('a time there is not is refused before anything is asked', async () => {
  const token = ['token', 'create', '--role', 'auditor', '--expires'];
  const deputy = ['deputy', 'add', 'my-agent', 'ben', '--reason', 'Away', '--until'];
  for (const argv of [
    [...token, '99999999999d'],
    [...token, '40000d', '--bootstrap'],
    [...deputy, '99999999999d'],
    [...deputy, '9999-12-31'],
    [...deputy, '0020-02-29'],
  ]) {
    const { code, err } = await cli.run(...argv);
    expect({ argv, code }).toEqual({ argv, code: 2 });
    expect(err.replace(/\s+/g, ' ')).toContain('the years 2000 to 2100 (UTC)');
  }
});

test('apply says which schema is open where a write would run unasked', async () => {
  const release = (approval: string) =>
    `agent: my-agent\nrelease: 2\ngrants:\n  - { tool: send_email, approval: ${approval} }\n`;
  const agent = readFileSync(join(cli.cwd, 'mine/agent.yaml'), 'utf8');
  const open = agent.replace('additionalProperties: false', 'description: anything goes');
  writeFileSync(join(cli.cwd, 'open.yaml'), open);
  const said = async (approval: string, file: string) => {
    writeFileSync(join(cli.cwd, 'release-2.yaml'), release(approval));
    const { out } = await cli.runWith({ answers: [false] }, 'apply', file, 'release-2.yaml');
    return out.replace(/\s+/g, ' ');
  };
  expect(await said('none', 'open.yaml')).toContain(
    '! The schema of send_email is open at args: unasked it runs with declared members only.',
  );
  expect(await said('none', 'mine/agent.yaml')).not.toContain('is open at');
  expect(await said('reviewers', 'open.yaml')).not.toContain('is open at');
});

test('the real command goes by the file an embedded service writes', async () => {
  const { out, err } = await cli.run('token', 'create', '--role', 'auditor', '--expires', '1d');
  expect(err).toContain('for auditor, until 2026-01-02');
  writeFileSync(join(cli.cwd, 'token'), JSON.stringify({ url: cli.url, token: out.trim() }));
  const env = { PATH: process.env.PATH, PORTCULLIS_DATA: '.' };
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [BIN, 'action', 'list', '--output', 'json'],
    { cwd: cli.cwd, env },
  );
  expect(JSON.parse(stdout)).toMatchObject({
    actions: expect.arrayContaining([expect.objectContaining({ id: asked.id })]),
  });
});
