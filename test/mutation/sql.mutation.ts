import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, inject, test } from 'vitest';
import { type Collected, collect } from './collect.ts';
import { ROOT } from './domain.ts';
import { type Outcome, report } from './report.ts';
import { failureAmong } from './run.ts';
import { type SqlMutant, sqlMutants } from './sql.ts';

const TEST_MS_MAX = 60_000;
const only = process.env.MUTATE ?? '';
const every = Number(process.env.MUTATE_EVERY ?? 1);

/** What is to notice a change of the functions of a file. */
const TESTS: Readonly<Record<string, readonly string[]>> = {
  'actions.sql': ['actions/begin', 'actions/limits', 'api/repeated'],
  'answers.sql': ['approvals/who-may', 'approvals/who', 'approvals/answer', 'approvals/edit'],
  'autonomy.sql': ['approvals/autonomy'],
  'evidence.sql': ['rollouts/judge', 'rollouts/taken-back', 'rollouts/reopened'],
  'gate.sql': ['actions/begin', 'db/scope'],
  'holds.sql': ['actions/begin', 'approvals/who-may', 'approvals/autonomy'],
  'log.sql': ['log', 'erase'],
  'posts.sql': ['slack/pacing'],
  'standing-approvals.sql': ['approvals/standing-approvals', 'api/standing-approvals'],
  'stops.sql': ['actions/begin', 'rollouts/taken-back', 'db/scope', 'api/operations'],
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

/** Tests that hold as the functions are, by file, with what each may take. */
async function holding(files: readonly string[]): Promise<Map<string, Set<string>>> {
  const holds = new Map<string, Set<string>>();
  for (const file of files) {
    const names = new Set((await load(file)).map(({ name }) => name));
    for (;;) {
      const tests = (await load(file)).filter(({ name }) => names.has(name));
      let last = '';
      const failure = await failureAmong(tests, ({ name }) => {
        last = name;
        return TEST_MS_MAX;
      });
      if (!failure) break;
      console.log(`left out (${failure.message.split('\n')[0]}): ${last}`);
      names.delete(last);
    }
    holds.set(file, names);
  }
  return holds;
}

async function outcomeOf(
  mutant: SqlMutant,
  holds: ReadonlyMap<string, ReadonlySet<string>>,
): Promise<Outcome | undefined> {
  if (!(await put(mutant.changed))) return undefined;
  try {
    for (const [file, names] of holds) {
      const tests = (await load(file)).filter(({ name }) => names.has(name));
      if (await failureAmong(tests, () => TEST_MS_MAX)) return { ...mutant, became: 'noticed' };
    }
    return { ...mutant, became: 'survived' };
  } finally {
    await put(mutant.original);
  }
}

test('mutants of the SQL functions', async () => {
  const outcomes: Outcome[] = [];
  for (const name of Object.keys(TESTS).filter((one) => one.includes(only))) {
    const mutants = sqlMutants().filter(({ file, id }) => file.endsWith(`/${name}`) && id % every === 0);
    if (mutants.length === 0) continue;
    const holds = await holding(TESTS[name] ?? []);
    for (const mutant of mutants) {
      const outcome = await outcomeOf(mutant, holds);
      if (outcome) outcomes.push(outcome);
    }
    process.stderr.write(`${name}\n`);
  }
  report('src/db/functions', outcomes);
});
