import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDataFolder } from '../../src/embedded/data-folder.ts';

let root: string;
const lines: string[] = [];
const open = (folder: string) => openDataFolder(folder, (line) => void lines.push(line));
const mode = (path: string) => (statSync(path).mode & 0o7777).toString(8);

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'portcullis-data-'));
  lines.length = 0;
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test('a new data folder is for its owner alone, whatever lies above it', () => {
  const folder = join(root, 'a', 'b');
  expect(open(folder)).toBe(folder);
  expect(mode(folder)).toBe('700');
  expect(mode(join(root, 'a'))).not.toBe('700');
  expect(lines).toEqual([]);
});

test('one that others may enter is closed to them, and that is said', () => {
  const folder = join(root, 'open');
  mkdirSync(folder);
  chmodSync(folder, 0o755);
  open(folder);
  expect(mode(folder)).toBe('700');
  expect(lines).toEqual([expect.stringContaining('closed to them now')]);
  open(folder);
  expect(lines).toHaveLength(1);
});

test('a folder that everybody shares is refused and left as it is', () => {
  const shared = join(root, 'shared');
  mkdirSync(shared);
  chmodSync(shared, 0o1777);
  expect(() => open(shared)).toThrow(/Set PORTCULLIS_DATA/);
  expect(mode(shared)).toBe('1777');
});

test('the store of an early build is refused by name, not read and not touched', () => {
  mkdirSync(join(root, 'db'));
  writeFileSync(join(root, 'db', 'PG_VERSION'), '17\n');
  expect(() => open(root)).toThrow(/db is the PGlite store of an early build.*Move the folder away/);
});
