// What is compiled, and whether it still is what the sources say. Plain JavaScript: it runs before anything is compiled.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../', import.meta.url));
export const DIST = join(ROOT, 'dist');
const RECORD = 'built.json';
const FOLDERS = ['src', 'workflows', 'activities'];

/** Every file that is compiled or copied, by its path from the root. */
export const sourceFiles = () => [
  'package.json',
  ...FOLDERS.flatMap((folder) =>
    existsSync(join(ROOT, folder))
      ? readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map(({ parentPath, path, name }) => join(parentPath ?? path, name).slice(ROOT.length))
      : [],
  ),
];

const digestOf = (file) =>
  createHash('sha1')
    .update(readFileSync(join(ROOT, file)))
    .digest('base64');

/** What to remember of the files, before they are compiled. */
export const recordOf = (files) =>
  Object.fromEntries(
    files.map((file) => {
      const { mtimeMs, size } = statSync(join(ROOT, file));
      return [file, { mtimeMs, size, digest: digestOf(file) }];
    }),
  );

export const recordPath = join(DIST, RECORD);

/** Whether the compiled files are those of the sources as they are now. Unknown is no. */
export function isCurrent() {
  try {
    const record = JSON.parse(readFileSync(recordPath, 'utf8'));
    const files = sourceFiles();
    return (
      files.length === Object.keys(record).length &&
      files.every((file) => {
        const known = record[file];
        const { mtimeMs, size } = statSync(join(ROOT, file));
        if (known?.size !== size) return false;
        return known.mtimeMs === mtimeMs || known.digest === digestOf(file);
      })
    );
  } catch {
    return false;
  }
}
