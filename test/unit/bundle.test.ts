import { appendFileSync, cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { sourcesDigest } from '../../src/temporal/bundle.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const copy = mkdtempSync(join(tmpdir(), 'portcullis-bundle-'));
for (const part of ['package.json', 'workflows', 'src/domain']) {
  cpSync(join(ROOT, part), join(copy, part), { recursive: true });
}
afterAll(() => rmSync(copy, { recursive: true }));

test('a change in any file that may go into the bundle makes another build', () => {
  const files = ['workflows', 'src/domain'].flatMap((folder) =>
    readdirSync(join(copy, folder), { recursive: true })
      .map((file) => join(copy, folder, String(file)))
      .filter((file) => file.endsWith('.ts')),
  );
  const builds = new Set([sourcesDigest(copy)]);
  for (const file of files) {
    appendFileSync(file, '\n');
    builds.add(sourcesDigest(copy));
  }
  expect(builds.size).toBe(files.length + 1);
});

test('the same sources make the same build', () => {
  expect(sourcesDigest(copy)).toBe(sourcesDigest(copy));
});
