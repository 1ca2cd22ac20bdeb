import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, inject, test } from 'vitest';
import { type Collected, collect } from './collect.ts';
import { ROOT } from './domain.ts';
import { type Outcome, report } from './report.ts';
import { isNoticed, type Known, learn } from './run.ts';
import { type SqlMutant, sqlMutants } from './sql.ts';

const TEST_MS_MAX = 15_000;
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

async function testsOf(name: string): Promise<Known[]> {
  const tests: Collected[] = [];
  for (const file of TESTS[name] ?? []) {
    const path = join(ROOT, `test/integration/${file}.test.ts`);
    tests.push(...(await collect(file, () => import(path))));
  }
  return learn(tests, TEST_MS_MAX);
}

async function outcomeOf(mutant: SqlMutant, known: readonly Known[]): Promise<Outcome | undefined> {
  if (!(await put(mutant.changed))) return undefined;
  try {
    const met = known.map((one) => ({ ...one, hits: new Set([mutant.id]) }));
    return { ...mutant, became: (await isNoticed(mutant.id, met)) ? 'noticed' : 'survived' };
  } finally {
    await put(mutant.original);
  }
}

test('mutants of the SQL functions', async () => {
  const outcomes: Outcome[] = [];
  for (const name of Object.keys(TESTS).filter((one) => one.includes(only))) {
    const mutants = sqlMutants().filter(({ file, id }) => file.endsWith(`/${name}`) && id % every === 0);
    if (mutants.length === 0) continue;
    const known = await testsOf(name);
    for (const mutant of mutants) {
      const outcome = await outcomeOf(mutant, known);
      if (outcome) outcomes.push(outcome);
    }
    process.stderr.write(`${name}\n`);
  }
  report('src/db/functions', outcomes);
});
