import { basename, join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, inject, test } from 'vitest';
import { type Collected, collect } from './collect.ts';
import { ROOT } from './domain.ts';
import { type Outcome, report } from './report.ts';
import { failureAmong, TEST_MS_LEAST, TIMES_LONGER } from './run.ts';
import { chosen } from './sample.ts';
import { type SqlMutant, sqlMutants } from './sql.ts';

/** What is to notice a change of the functions of a file. */
const TESTS: Readonly<Record<string, readonly string[]>> = {
  'actions.sql': [
    'actions/begin',
    'switch/under-way',
    'actions/limits',
    'api/repeated',
    'api/standing-approvals',
  ],
  'answers.sql': [
    'approvals/who-may',
    'approvals/who',
    'approvals/answer',
    'approvals/edit',
    'approvals/deputies',
  ],
  'autonomy.sql': ['approvals/autonomy'],
  'evidence.sql': ['rollouts/judge', 'rollouts/evidence', 'rollouts/taken-back', 'rollouts/reopened'],
  'gate.sql': ['actions/begin', 'db/scope', 'switch/stops', 'switch/slices'],
  'holds.sql': ['actions/begin', 'approvals/who-may', 'approvals/when', 'rollouts/taken-back'],
  'log.sql': ['log', 'erase'],
  'posts.sql': ['slack/pacing'],
  'reasons.sql': ['db/reasons'],
  'standing-approvals.sql': ['approvals/standing-approvals', 'api/standing-approvals'],
  'stops.sql': [
    'actions/begin',
    'rollouts/taken-back',
    'db/scope',
    'api/operations',
    'switch/slices',
    'switch/stops',
    'log',
  ],
  'subjects.sql': ['rollouts/subjects'],
};

let admin: pg.Client;
beforeAll(async () => {
  admin = new pg.Client(inject('postgresUrl'));
  await admin.connect();
});
afterAll(() => admin.end());

/** Puts a function into the database that every test's own is copied from. False: the store refuses it. */
async function put(statement: string): Promise<boolean> {
  const { rows } = await admin.query<{ datname: string }>(
    `SELECT datname FROM pg_database WHERE datname ~ '^portcullis_[0-9a-f]+$'`,
  );
  const url = new URL(inject('postgresUrl'));
  url.pathname = `/${rows[0]?.datname}`;
  const client = new pg.Client(url.href);
  await client.connect();
  try {
    await client.query(statement);
    return true;
  } catch {
    return false;
  } finally {
    await client.end();
  }
}

let loads = 0;
/** Loaded anew each time: files keep what they opened. */
const load = (file: string): Promise<Collected[]> => {
  const path = join(ROOT, `test/integration/${file}.test.ts`);
  return collect(file, () => import(`${path}?load=${++loads}`));
};

/** A test that holds as the functions are, or all of a file in their order, and what that takes. */
interface Holding {
  file: string;
  names: readonly string[];
  ms: number;
}

const learned = new Map<string, Promise<Holding[]>>();

/** Which tests of a file hold alone; where one does not, also whether all hold in their order. */
async function learn(file: string): Promise<Holding[]> {
  const all = (await load(file)).map(({ name }) => name);
  const known: Holding[] = [];
  for (const names of all.map((name) => [name])) known.push(...(await held(file, names)));
  if (known.length < all.length) known.push(...(await held(file, all)));
  return known;
}

/** None where it does not hold, and it is named. */
async function held(file: string, names: readonly string[]): Promise<Holding[]> {
  const startedMs = performance.now();
  const failure = await failureOf(file, names, Number.POSITIVE_INFINITY);
  if (!failure) return [{ file, names, ms: performance.now() - startedMs }];
  console.log(
    `does not hold (${failure.message.split('\n')[0]}): ${names.length === 1 ? names[0] : `all of ${file}`}`,
  );
  return [];
}

async function failureOf(file: string, names: readonly string[], msMax: number): Promise<Error | undefined> {
  const named = (await load(file)).filter(({ name }) => names.includes(name));
  return failureAmong(named, () => msMax);
}

/** The tests that may notice it, the quickest first. */
async function testsOf({ file }: SqlMutant): Promise<Holding[]> {
  const files = TESTS[basename(file)];
  if (!files) throw new Error(`test/mutation/sql.mutation.ts: no test is named for ${file}`);
  const known: Holding[] = [];
  for (const one of files) {
    if (!learned.has(one)) learned.set(one, learn(one));
    known.push(...((await learned.get(one)) ?? []));
  }
  return known.sort((a, b) => a.ms - b.ms);
}

/** Undefined: the store refuses it. */
async function outcomeOf(mutant: SqlMutant): Promise<Outcome | undefined> {
  const known = await testsOf(mutant);
  if (!(await put(mutant.changed))) return undefined;
  try {
    for (const { file, names, ms } of known) {
      const noticed = await failureOf(file, names, Math.max(TEST_MS_LEAST, ms * TIMES_LONGER));
      if (noticed) return { ...mutant, became: 'noticed' };
    }
    return { ...mutant, became: 'survived' };
  } finally {
    await put(mutant.original);
  }
}

test('mutants of the SQL functions', async () => {
  const outcomes: Outcome[] = [];
  const { tried, words } = chosen(sqlMutants());
  for (const mutant of tried) {
    const outcome = await outcomeOf(mutant);
    if (!outcome) continue;
    outcomes.push(outcome);
    process.stderr.write(
      outcome.became === 'noticed' ? '.' : `\n${mutant.file}:${mutant.line} ${mutant.from} -> ${mutant.to}\n`,
    );
  }
  report(`src/db/functions, ${words}`, outcomes);
});
