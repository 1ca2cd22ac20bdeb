import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { agentYaml, releaseYaml } from '../../../src/cli/first-manifests.ts';
import { nameSchema, personFrom } from '../../../src/domain/agent.ts';
import { checkFirstRelease } from '../../../src/domain/manifest/check-release.ts';
import { formatProblems, readManifest } from '../../../src/domain/manifest/manifest.ts';
import { runInTest, tooLong } from './cli-io.ts';

const folder = (): string => mkdtempSync(join(tmpdir(), 'portcullis-cli-'));
const lineCount = (text: string): number => text.trimEnd().split('\n').length;

function readBoth(agentText: string, releaseText: string) {
  const agent = readManifest('agent.yaml', agentText, 'agent');
  if (!agent.ok) throw new Error(formatProblems(agent.problems));
  const release = readManifest('release-1.yaml', releaseText, 'release', agent.value);
  if (!release.ok) throw new Error(formatProblems(release.problems));
  return { agent: agent.value, release: release.value };
}

describe('the two manifests', () => {
  test.each(['my-agent', 'true', '123', '1e5', 'No', 'x.y_z', '0x1F'])(
    'are valid for the name %s, in 15 lines',
    (name) => {
      const { agent, release } = readBoth(agentYaml(name, name), releaseYaml(name));
      expect(agent).toMatchObject({
        agent: name,
        owners: [name],
        approvers: { reviewers: [name] },
        testMode: true,
      });
      expect(checkFirstRelease(release, agent)).toEqual([]);
      expect(lineCount(agentYaml(name, name))).toBeLessThanOrEqual(15);
      expect(lineCount(releaseYaml(name))).toBeLessThanOrEqual(15);
    },
  );

  test('personFrom() makes a valid id of any account', () => {
    expect(personFrom('ana')).toBe('ana');
    expect(personFrom('_DOMAIN\\ana maria')).toBe('DOMAIN-ana-maria');
    expect(personFrom('')).toBe('me');
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (account) => {
        expect(nameSchema.safeParse(personFrom(account)).success).toBe(true);
      }),
    );
  });
});

describe('portcullis init', () => {
  test('writes both, with schemas for editors, and says the next three commands', async () => {
    const cwd = folder();
    const { code, out, err } = await runInTest(['init', '--agent', 'mailer'], { cwd });
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out.match(/^ {2}portcullis /gm)).toHaveLength(3);
    expect(tooLong(out)).toEqual([]);
    readBoth(
      readFileSync(join(cwd, 'agent.yaml'), 'utf8'),
      readFileSync(join(cwd, 'release-1.yaml'), 'utf8'),
    );
    const [first] = readFileSync(join(cwd, 'agent.yaml'), 'utf8').split('\n');
    expect(existsSync(join(cwd, first?.split('$schema=')[1] ?? '-'))).toBe(true);
  });

  test('never overwrites without --force', async () => {
    const cwd = folder();
    writeFileSync(join(cwd, 'release-1.yaml'), 'mine');
    const refused = await runInTest(['init'], { cwd });
    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(refused.err).toContain('release-1.yaml: already there');
    expect(existsSync(join(cwd, 'agent.yaml'))).toBe(false);
    expect((await runInTest(['init', '--force', '--output', 'json'], { cwd })).json()).toMatchObject({
      person: 'ana',
    });
    expect(readFileSync(join(cwd, 'release-1.yaml'), 'utf8')).toContain('release: 1');
  });

  test('refuses a name that is none, before it writes', async () => {
    const cwd = folder();
    expect(await runInTest(['init', '--person', 'a b'], { cwd })).toMatchObject({ code: 2 });
    expect(existsSync(join(cwd, 'agent.yaml'))).toBe(false);
  });
});
