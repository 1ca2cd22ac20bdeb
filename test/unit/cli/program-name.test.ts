import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect, test } from 'vitest';
import { ownName } from '../../../src/cli/own-name.ts';
import { asTypedHere } from '../../../src/cli/text/program-name.ts';
import { freePort } from '../../../src/embedded/supervised-process.ts';
import { runInTest, tooLong } from './cli-io.ts';

test('a program on the path is called by its name, one that npm put there by npx', () => {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-path-'));
  const bin = join(folder, 'node_modules', '.bin');
  mkdirSync(bin, { recursive: true });
  for (const place of [folder, bin]) {
    writeFileSync(join(place, 'portcullis'), '');
    chmodSync(join(place, 'portcullis'), 0o755);
  }
  expect(ownName(['/nowhere', folder].join(delimiter))).toBe('portcullis');
  expect(ownName(['/nowhere', bin].join(delimiter))).toBe('npx portcullis');
  expect(ownName('')).toBe('npx portcullis');
});

const options = { program: 'npx portcullis', cwd: mkdtempSync(join(tmpdir(), 'portcullis-name-')) };

test('hints, next steps and help name the program as it is called here', async () => {
  const init = await runInTest(['init'], options);
  expect(init.out).toContain('  npx portcullis apply agent.yaml release-1.yaml');
  const away = await runInTest(['action', 'list'], {
    ...options,
    env: { PORTCULLIS_URL: `http://127.0.0.1:${await freePort()}` },
  });
  expect(away.err).toContain('`npx portcullis up`');
  const help = await runInTest(['rollout', 'status', '--help'], options);
  expect(help.out).toContain('$ npx portcullis rollout status my-agent');
  expect(tooLong(help.out)).toEqual([]);
});

test('prose that becomes too long flows on into the lines below it', () => {
  const text = 'Switch  a process of its own, which portcullis disable\n        tries first\nNote    x';
  expect(asTypedHere(text, { program: 'npx portcullis', columns: 54 }, ['disable'])).toBe(
    'Switch  a process of its own, which npx portcullis\n        disable tries first\nNote    x',
  );
});

test('what is no command of the program stays: Slack, paths, JSON', async () => {
  const json = await runInTest(['init', '--force', '--output', 'json'], options);
  expect(json.json().next).toContain('portcullis up');
  expect(json.out).not.toContain('npx');
});
