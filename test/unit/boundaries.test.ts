import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SURFACES = ['api', 'slack', 'cli', 'sdk'];
const PURE_PACKAGES = [
  'postal-mime',
  'zod',
  'yaml',
  'ajv-formats',
  'canonicalize',
  'fastest-levenshtein',
  '@marcbachmann/cel-js',
  're2js',
  'node:crypto',
];

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
  const found = text.matchAll(
    /^\s*(?:import|export)\s+(type\s)?[^'"]*?from\s+['"]([^'"]+)['"]|\bimport\('([^']+)'\)/gm,
  );
  return [...found]
    .map(([, typeOnly, named, loaded]) => ({ target: named ?? loaded ?? '', typeOnly }))
    .map(({ target, typeOnly }) => ({
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

/** Inward first. An arrow may point to a room of an earlier row, or, inside a row, wherever no circle comes of it. */
const FLOORS: readonly (readonly string[])[] = [
  ['domain', 'errors', 'clock', 'links', 'loop', 'turns', 'embedded', 'net'],
  ['db', 'actor', 'config', 'events', 'reason'],
  ['records', 'credentials', 'enforcement'],
  ['services'],
  [
    'actions',
    'agents',
    'approvals',
    'autonomy',
    'cases',
    'follow-ups',

    'groups',
    'incidents',
    'installation',
    'log',
    'metric-sources',
    'outcomes',
    'releases',
    'replay',
    'retention',
    'reviews',
    'rollouts',
    'statistics',
    'subjects',
    'switches',
    'tokens',
  ],
  ['cards', 'reaching', 'reports', 'system'],
  ['api', 'slack', 'sdk', 'temporal'],
  ['background', 'switch-process'],
  ['server', 'cli'],
];

/** The room of a file: its folder below src, or itself where it lies there. */
const roomOf = (path: string): string => (path.split('/')[1] ?? '').replace(/\.ts$/, '');

const floorOf = (room: string): number => FLOORS.findIndex((rooms) => rooms.includes(room));

const arrows = () =>
  inFolder('src').filter(({ file, target }) => target.startsWith('src/') && roomOf(file) !== roomOf(target));

test('every room of src has its floor', () => {
  const rooms = readdirSync(join(ROOT, 'src')).map((entry) => entry.replace(/\.ts$/, ''));
  expect(rooms.filter((room) => floorOf(room) === -1)).toEqual([]);
});

test('no import points back up, not even for a type', () => {
  const wrong = arrows().filter(({ file, target }) => floorOf(roomOf(file)) < floorOf(roomOf(target)));
  expect(wrong.map(show)).toEqual([]);
});

type Arrow = readonly [from: string, to: string];

/** The arrows of circles: taken away again and again is what imports nothing that is left, or is imported by none. */
function circling(arrows: readonly Arrow[]): readonly Arrow[] {
  const froms = new Set(arrows.map(([from]) => from));
  const tos = new Set(arrows.map(([, to]) => to));
  const left = arrows.filter(([from, to]) => tos.has(from) && froms.has(to));
  return left.length === arrows.length ? left : circling(left);
}

test('no rooms import one another in a circle, not even for types', () => {
  const rooms = arrows().map(({ file, target }) => [roomOf(file), roomOf(target)] as const);
  expect(circling(rooms)).toEqual([]);
});

test('no files import one another in a circle, not even for types', () => {
  const files = ['src', 'workflows', 'activities'].flatMap(inFolder);
  expect(circling(files.map(({ file, target }) => [file, target] as const))).toEqual([]);
});

test('surfaces never import one another', () => {
  const wrong = SURFACES.flatMap((surface) =>
    inFolder(`src/${surface}`).filter(({ target }) =>
      SURFACES.some((other) => other !== surface && target.startsWith(`src/${other}/`)),
    ),
  );
  expect(wrong.map(show)).toEqual([]);
});

test('nothing inside imports a workflow or an activity', () => {
  const outer = /^src\/(temporal|server|background)\b/;
  const wrong = inFolder('src').filter(
    ({ file, target }) => !outer.test(file) && /^(activities|workflows)\//.test(target),
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

test('the log is evidence: nothing learns from it how something stands', () => {
  const folders = ['src', 'activities', 'workflows'];
  const files = folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true })
      .map((file) => join(folder, String(file)))
      .filter((file) => /\.(ts|sql)$/.test(file)),
  );
  const mayName =
    /^src\/(log|events|retention)\/|^src\/db\/((tables|log-partitions)\.ts|functions\/log\.sql|migrations\/00(0[139]|13)-)/;
  const naming = files.filter(
    (file) =>
      !mayName.test(file) &&
      /\blog_(entry|unnumbered)\b/.test(
        readFileSync(join(ROOT, file), 'utf8').replaceAll('INSERT INTO log_unnumbered', ''),
      ),
  );
  expect(naming).toEqual([]);
  // What shows it, hands it out, writes it down and numbers it; no verb, no card and no page.
  const mayRead = /^src\/(api|cli|sdk)\/(?!pages\/)|^src\/(log|events|reports|retention|system|background)\b/;
  const reading = folders
    .flatMap(inFolder)
    .filter(({ file, target }) => !mayRead.test(file) && /^src\/(log|events)\//.test(target));
  expect(reading.map(show)).toEqual([]);
});

/** Whatever a file comes to load, types left out. */
function loadedFrom(folder: string): string[] {
  const found = new Set(filesOf(folder));
  for (const file of found)
    for (const { target, typeOnly } of importsOf(file))
      if (!typeOnly && target.startsWith('src/') && target.endsWith('.ts')) found.add(target);
  return [...found];
}

test('what is decided again never executes: a replay reaches no credential, no network and no verb of an action', () => {
  const mayNot =
    /^src\/(credentials|net|actions|approvals|switches|slack|sdk|temporal|metric-sources|log|events|api|cli)\//;
  const reached = ['src/replay', 'src/domain/replay'].flatMap(loadedFrom);
  expect(reached.length).toBeGreaterThan(20);
  expect(reached.filter((file) => mayNot.test(file))).toEqual([]);
  const outward = reached
    .flatMap(importsOf)
    .filter(({ target }) =>
      /^(node:)?(net|tls|http|https|http2|dgram|dns|child_process)$|^undici$/.test(target),
    );
  expect(outward.map(show)).toEqual([]);
});

test('a case is run without network, issuer, store or clock: all that it comes to load is the domain', () => {
  const reached = loadedFrom('src/domain/cases');
  expect(reached.length).toBeGreaterThan(40);
  expect(reached.filter((file) => !file.startsWith('src/domain/'))).toEqual([]);
  const packages = reached.flatMap(importsOf).filter(({ target }) => !target.startsWith('src/'));
  expect(
    packages
      .filter(({ target }) => !PURE_PACKAGES.some((name) => target === name || target.startsWith(`${name}/`)))
      .map(show),
  ).toEqual([]);
});
