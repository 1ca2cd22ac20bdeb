import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runInTest } from './cli-io.ts';

const { out: script } = await runInTest(['completion', 'bash']);

/** What bash offers after these words. */
function offered(...words: string[]): string[] {
  const file = join(mkdtempSync(join(tmpdir(), 'portcullis-completion-')), 'script');
  writeFileSync(file, script);
  const line = ['portcullis', ...words].map((word) => `'${word}'`).join(' ');
  const run = `source ${file}; COMP_WORDS=(${line}); COMP_CWORD=${words.length}; _portcullis; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['-c', run], { encoding: 'utf8' }).trim().split('\n');
}

test.each([
  [['ro'], ['rollout']],
  [['rollout', 'app'], ['approve-gate']],
  [
    ['approvals', 'standing', ''],
    ['list', 'revoke'],
  ],
  [['--output', 'json', 'rollout', 'exc'], ['exclude']],
  [
    ['--output', ''],
    ['table', 'json'],
  ],
  [['action', 'list', '--state', 'pen'], ['pending']],
  [['rollout', 'rollback', 'my-agent', '--seg'], ['--segment']],
  [
    ['schema', ''],
    ['agent', 'case', 'rates', 'release'],
  ],
  [
    ['disable', '--reason', 'rollout', '--re'],
    ['--reason', '--reads'],
  ],
])('bash completes %j', (words, expected) => {
  expect(offered(...words).sort()).toEqual(expected.toSorted());
});

test.each(['zsh', 'fish'])('%s gets every command and option', async (shell) => {
  const { out, code } = await runInTest(['completion', shell]);
  expect(code).toBe(0);
  for (const word of ['approve-gate', 'standing', 'portcullis completion']) expect(out).toContain(word);
  expect(out).toMatch(/--break-glass|-l break-glass/);
});
