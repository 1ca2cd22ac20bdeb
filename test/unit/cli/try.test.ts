import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { AGENT_YAML, RELEASE_YAML } from '../domain/manifest/fixtures.ts';
import { runInTest, tooLong } from './cli-io.ts';

function given(files: Record<string, string>): string {
  const cwd = mkdtempSync(join(tmpdir(), 'portcullis-try-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text);
  return cwd;
}

const LISTED = RELEASE_YAML.replace('grants:', 'lists: { orders: { file: orders.txt } }\ngrants:').replace(
  '{ tool: cancel, approval: desk }',
  '{ tool: cancel, approval: desk, when: args.id in lists.orders }',
);
const FILES = { 'agent.yaml': AGENT_YAML, 'release.yaml': LISTED, 'orders.txt': '# open ones\nA1\n\nA2\n' };
const TRY = ['try', 'agent.yaml', 'release.yaml', '--attribute', 'tier=gold', '--attribute', 'age=30'];

test.each([
  ['lookup', '{}', 0, 'ALLOWED: lookup'],
  ['cancel', '{"id":"A1"}', 6, 'WOULD ASK desk: cancel id=A1'],
  ['cancel', '{"id":"B1"}', 1, 'DENIED: cancel id=B1'],
  ['cancel', '{"id":7}', 1, 'args_invalid'],
  ['cancle', '{}', 1, 'Did you mean "cancel"'],
])('%s %s: exit code %i, %s', async (tool, args, code, said) => {
  const result = await runInTest([...TRY, '--tool', tool, '--args', args], { cwd: given(FILES) });
  expect(result.code).toBe(code);
  expect(result.flat).toContain(said);
  expect(tooLong(result.out)).toEqual([]);
});

test('it names the segment, the grant, the risk and how each grant of the tool stands', async () => {
  const cwd = given(FILES);
  const result = await runInTest([...TRY, '--tool', 'cancel', '--args', '{"id":"B1"}', '--output', 'json'], {
    cwd,
  });
  expect(result.json()).toMatchObject({
    outcome: 'denied',
    segment: 'gold',
    risk: 'medium',
    reasons: [{ code: 'condition_not_met' }],
    grants: [{ name: 'cancel-2', condition: 'false' }],
  });
});

test.each([
  ['an attribute that is not declared', ['--attribute', 'teir=gold'], 'Did you mean "tier"'],
  ['a value of another type', ['--attribute', 'age=old'], 'is no value of "age", which is int'],
  ['arguments that are no object', ['--args', '[]'], '--args is a JSON object'],
])('%s is refused', async (_, more, said) => {
  const files = ['try', 'agent.yaml', 'release.yaml', '--tool', 'lookup'];
  const result = await runInTest([...files, ...more], { cwd: given(FILES) });
  expect(result.code).toBe(2);
  expect(result.err).toContain(said);
});

test('it needs one agent and one release', async () => {
  const alone = await runInTest(['try', 'agent.yaml', '--tool', 'lookup'], { cwd: given(FILES) });
  expect(alone).toMatchObject({ code: 2 });
  expect(alone.err).toContain('one agent and one release');
});

test('a list is read from beside its manifest and from nowhere else', async () => {
  const outside = given({ 'secret.txt': 'A1' });
  const cwd = given(FILES);
  mkdirSync(join(cwd, 'deep'));
  symlinkSync(join(outside, 'secret.txt'), join(cwd, 'link.txt'));
  writeFileSync(join(cwd, 'deep', 'agent.yaml'), AGENT_YAML);
  const with_ = async (file: string, at = '.') => {
    writeFileSync(join(cwd, at, 'listed.yaml'), LISTED.replace('orders.txt', file));
    const files = [join(at, 'listed.yaml'), 'agent.yaml'];
    return runInTest(['apply', '--check', ...files], { cwd });
  };
  expect(await with_('orders.txt')).toMatchObject({ code: 0 });
  for (const file of [join(outside, 'secret.txt'), 'link.txt']) {
    const refused = await with_(file);
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.err).toContain('it is not in the folder of the manifest');
  }
  expect((await with_('../orders.txt', 'deep')).err).toContain('it is not in the folder of the manifest');
  expect((await with_('gone.txt')).err).toContain('there is no such file');
});

test('a problem after a list of several lines keeps its line', async () => {
  const release = LISTED.replace(
    'lists: { orders: { file: orders.txt } }',
    'lists:\n  orders:\n    file: orders.txt',
  );
  const cwd = given({ ...FILES, 'release.yaml': release.replace('tool: refund', 'tool: refnd') });
  const { err } = await runInTest(['apply', '--check', 'agent.yaml', 'release.yaml'], { cwd });
  expect(err).toMatch(/release\.yaml:9:\d+ Tool "refnd" is not declared/);
});
