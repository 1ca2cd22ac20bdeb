import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findConnection } from '../../../src/cli/connection.ts';

function givenLocalToken(): string {
  const cwd = mkdtempSync(join(tmpdir(), 'portcullis-cli-'));
  writeFileSync(join(cwd, 'token'), JSON.stringify({ url: 'http://127.0.0.1:9090', token: 'pct_local' }));
  return cwd;
}

test('the file of an embedded service gives its address and token', () => {
  const cwd = givenLocalToken();
  const found = findConnection({ env: { PORTCULLIS_DATA: '.' }, cwd }, {});
  expect(found).toMatchObject({ url: 'http://127.0.0.1:9090', token: 'pct_local', tokenFrom: 'file' });
});

test('options go before the environment, the environment before the file', () => {
  const env = { PORTCULLIS_DATA: '.', PORTCULLIS_URL: 'https://gate.example/', PORTCULLIS_TOKEN: 'pct_env' };
  const cwd = givenLocalToken();
  expect(findConnection({ env, cwd }, {})).toMatchObject({ url: 'https://gate.example', token: 'pct_env' });
  const given = { url: 'http://other', token: 'pct_option' };
  expect(findConnection({ env, cwd }, given)).toMatchObject({ ...given, tokenFrom: 'option' });
});

test("this machine's token is sent to no other place", () => {
  const cwd = givenLocalToken();
  const at = (url: string) =>
    findConnection({ env: { PORTCULLIS_DATA: '.', PORTCULLIS_URL: url }, cwd }, {}).token;
  expect(at('http://localhost:9090')).toBe('pct_local');
  for (const url of [
    'http://127.0.0.1:9091',
    'http://gate.example:9090',
    'https://127.0.0.1:9090',
    'nonsense',
  ]) {
    expect(at(url)).toBeUndefined();
  }
});

test('it is known whether commands go to the service of this data folder', () => {
  const cwd = givenLocalToken();
  const local = (url?: string) =>
    findConnection({ env: { PORTCULLIS_DATA: '.', PORTCULLIS_TOKEN: 'pct_env' }, cwd }, url ? { url } : {})
      .isLocal;
  expect([local(), local('http://localhost:9090')]).toEqual([true, true]);
  expect([local('http://127.0.0.1:9091'), local('http://gate.example:9090')]).toEqual([false, false]);
  expect(findConnection({ env: {}, cwd: tmpdir() }, {}).isLocal).toBe(false);
});
