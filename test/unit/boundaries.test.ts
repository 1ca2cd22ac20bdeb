import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SURFACES = ['api', 'slack', 'cli', 'sdk'];
const PURE_PACKAGES = ['zod', 'yaml', 'ajv', 'canonicalize', '@marcbachmann/cel-js', 're2js', 'node:crypto'];

interface Import {
  file: string;
  /** Relative to the root for our own files, else the package. */
  target: string;
  typeOnly: boolean;
}

const filesOf = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true })
    .map(String)
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(folder, file));

function importsOf(file: string): Import[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const found = text.matchAll(/^\s*(?:import|export)\s+(type\s)?[^'"]*?from\s+['"]([^'"]+)['"]/gm);
  return [...found].map(([, typeOnly, target = '']) => ({
    file,
    target: target.startsWith('.') ? relative(ROOT, join(ROOT, dirname(file), target)) : target,
    typeOnly: typeOnly !== undefined,
  }));
}

const inFolder = (folder: string) => filesOf(folder).flatMap(importsOf);
const show = ({ file, target }: Import): string => `${file} -> ${target}`;

test('the domain imports itself and pure packages only', () => {
  const wrong = inFolder('src/domain').filter(
    ({ target }) =>
      !target.startsWith('src/domain/') &&
      !PURE_PACKAGES.some((name) => target === name || target.startsWith(`${name}/`)),
  );
  expect(wrong.map(show)).toEqual([]);
});

test('the domain reads no clock, no random and no environment', () => {
  const wrong = filesOf('src/domain').filter((file) =>
    /\bDate\.now\(|new Date\(\)|Math\.random\(|randomUUID|randomBytes|process\.env/.test(
      readFileSync(join(ROOT, file), 'utf8'),
    ),
  );
  expect(wrong).toEqual([]);
});

test('workflows import the SDK, the domain and types', () => {
  const wrong = inFolder('workflows').filter(
    ({ target, typeOnly }) =>
      !typeOnly && !/^(workflows|src\/domain)\/|^@temporalio\/(workflow|common)$/.test(target),
  );
  expect(wrong.map(show)).toEqual([]);
});

test('surfaces never import one another', () => {
  const wrong = SURFACES.flatMap((surface) =>
    inFolder(`src/${surface}`).filter(({ target }) =>
      SURFACES.some((other) => other !== surface && target.startsWith(`src/${other}/`)),
    ),
  );
  expect(wrong.map(show)).toEqual([]);
});

test('verbs and stores never import a surface, a workflow or an activity', () => {
  const outer = new Set([...SURFACES, 'temporal', 'embedded', 'domain']);
  const nouns = readdirSync(join(ROOT, 'src'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !outer.has(entry.name))
    .flatMap((entry) => inFolder(`src/${entry.name}`));
  const wrong = nouns.filter(({ target }) =>
    /^(activities|workflows)\/|^src\/(api|slack|cli|sdk|temporal|server|background)\b/.test(target),
  );
  expect(wrong.map(show)).toEqual([]);
});

test('nothing but what starts the process reads the environment', () => {
  const mayRead = /^src\/(embedded|cli)\//;
  const wrong = filesOf('src').filter(
    (file) => !mayRead.test(file) && /process\.env/.test(readFileSync(join(ROOT, file), 'utf8')),
  );
  expect(wrong).toEqual([]);
});

test('no file is over 300 lines', () => {
  const folders = ['src', 'workflows', 'activities', 'test', 'examples', 'bench'];
  const long = folders
    .flatMap(filesOf)
    .map((file) => ({ file, lines: readFileSync(join(ROOT, file), 'utf8').split('\n').length - 1 }))
    .filter(({ lines }) => lines > 300);
  expect(long).toEqual([]);
});
