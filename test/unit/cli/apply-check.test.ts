import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { AGENT_YAML, RELEASE_YAML } from '../domain/manifest/fixtures.ts';
import { runInTest } from './cli-io.ts';

function given(files: Record<string, string>): string {
  const cwd = mkdtempSync(join(tmpdir(), 'portcullis-cli-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text);
  return cwd;
}

test('apply --check prints every problem of every file, with file, line and column', async () => {
  const cwd = given({
    'agent.yaml': AGENT_YAML.replace('owners: [olga]', 'owners: [nobody]'),
    'release.yaml': RELEASE_YAML.replace('release: 1', 'release: 0'),
    'broken.yaml': 'agent: [',
    'other.yaml': 'hello: world',
  });
  const { code, err } = await runInTest(
    ['apply', '--check', 'agent.yaml', 'release.yaml', 'broken.yaml', 'other.yaml'],
    { cwd },
  );
  expect(code).toBe(2);
  expect(err).toMatch(/agent\.yaml:3:10 "nobody" is not one of people/);
  expect(err).toMatch(/release\.yaml:2:\d+ /);
  expect(err).toMatch(/broken\.yaml:1:\d+ /);
  expect(err).toMatch(/other\.yaml:1:1 This is neither an agent nor a release/);
  expect(err).toMatch(/\d+ problems: nothing was applied/);
});

test('apply --check measures a release against the agent that is with it', async () => {
  const cwd = given({
    'agent.yaml': AGENT_YAML,
    'release.yaml': RELEASE_YAML.replace('approval: desk', 'approval: dusk'),
  });
  const { code, err } = await runInTest(['apply', '--check', 'release.yaml', 'agent.yaml'], { cwd });
  expect(code).toBe(2);
  expect(err).toContain('There is no approver group "dusk"');
  expect(err).toContain('Code: manifest_invalid');
});

test('apply --check of a release alone says what it could not check', async () => {
  const cwd = given({ 'release.yaml': RELEASE_YAML });
  const { code, out } = await runInTest(['apply', '--check', 'release.yaml'], { cwd });
  expect(code).toBe(0);
  expect(out.replace(/\s+/g, ' ')).toMatch(
    /NOT checked against agent \S+, .*its tools and their scopes, its conditions/,
  );
  const json = await runInTest(['apply', '--check', 'release.yaml', '--output', 'json'], { cwd });
  expect(json.json()).toMatchObject({ valid: true, complete: false });
});

test('apply --check needs no service, and answers in JSON', async () => {
  const cwd = given({ 'agent.yaml': AGENT_YAML, 'release.yaml': RELEASE_YAML });
  const result = await runInTest(['apply', '--check', 'agent.yaml', 'release.yaml', '--output', 'json'], {
    cwd,
  });
  expect(result).toMatchObject({ code: 0, err: '' });
  expect(result.json()).toMatchObject({ valid: true, manifests: [{ kind: 'agent' }, { kind: 'release' }] });
});

test('schema prints a JSON Schema', async () => {
  const result = await runInTest(['schema', 'release']);
  expect(result.json()).toMatchObject({ title: 'Portcullis release', type: 'object' });
});
