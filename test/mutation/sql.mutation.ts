import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, inject, test } from 'vitest';
import { type Collected, collect } from './collect.ts';
import { ROOT } from './domain.ts';
import { type Outcome, report } from './report.ts';
import { failureAmong } from './run.ts';
import { chosen } from './sample.ts';
import { type SqlMutant, sqlMutants } from './sql.ts';

const TEST_MS_MAX = 60_000;
const BEGIN = ['actions/begin', 'switch/under-way'];
const WHO = ['approvals/who-may', 'approvals/who', 'approvals/when'];
const STOPS = ['switch/slices', 'switch/stops', 'db/scope'];
const ENDS = ['approvals/standing-approvals', 'api/standing-approvals'];
const EVIDENCE = ['rollouts/judge', 'rollouts/evidence', 'rollouts/taken-back'];
const LOG = ['log', 'erase'];

/** What is to notice a change of a function. */
const TESTS: Readonly<Record<string, readonly string[]>> = {
  move_action: ['actions/outbox', ...BEGIN, 'callbacks'],
  ask_actions: ['api/repeated', 'approvals/standing-approvals', 'rollouts/subjects', 'erase'],
  reserve_limits: ['actions/limits'],
  begin_action: BEGIN,
  store_credential: BEGIN,
  begin_write: [...BEGIN, 'approvals/edit', 'actions/round-trips', 'api/revoked'],
  shown_with: ['actions/round-trips', 'approvals/edit'],
  complete_action: ['actions/complete', 'actions/outbox', 'api/revoked'],
  token_still_good: ['api/revoked'],
  raise_token_epoch: ['api/revoked'],
  action_to_decide: [
    'approvals/answer',
    ...WHO,
    'approvals/edit',
    'approvals/deputies',
    'approvals/receipts',
  ],
  record_answer: ['approvals/answer', 'approvals/who', 'approvals/edit', 'approvals/receipts'],
  end_autonomy_with_incident: ['approvals/autonomy'],
  keep_exposure: ['rollouts/harms'],
  baseline_volume: ['rollouts/harms', 'rollouts/joined'],
  queue_judgement: EVIDENCE,
  event_day: EVIDENCE,
  bears_evidence: EVIDENCE,
  start_event: EVIDENCE,
  know_event: EVIDENCE,
  count_evidence: EVIDENCE,
  count_event: EVIDENCE,
  gate_key: BEGIN,
  raise_epoch: STOPS,
  read_scope: STOPS,
  switched_off: [...STOPS, ...BEGIN],
  may_answer: WHO,
  is_stale: WHO,
  approvers_hold: [...WHO, 'approvals/deputies'],
  still_holds: [
    'actions/begin',
    'approvals/standing-approvals',
    'approvals/autonomy',
    'rollouts/taken-back',
    'rollouts/joined',
  ],
  jcs: LOG,
  iso: LOG,
  log_append: LOG,
  sequence_log: LOG,
  reserve_post: ['slack/pacing'],
  says_something: ['db/reasons'],
  require_reason: ['db/reasons'],
  use_standing_approval: ENDS,
  end_standing_approvals: ENDS,
  end_standing_with_switch: ENDS,
  end_standing_with_incident: ENDS,
  end_standing_with_rollback: ENDS,
  end_standing_with_phase: ENDS,
  end_standing_with_release: ENDS,
  void_actions: [...STOPS, 'rollouts/taken-back'],
  actions_in_flight: [...STOPS, 'rollouts/taken-back'],
  without_summaries: ['log', 'api/operations'],
  credentials_until: ['api/operations'],
  raise_alert: ['rollouts/taken-back'],
  disable_switch: STOPS,
  enable_switch: [...STOPS, 'api/operations'],
  recover_store: ['switch/recover-store'],
  rollback_segment: ['rollouts/taken-back', 'rollouts/reopened'],
  admit_subject: ['rollouts/subjects'],
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

/** The tests of a file that hold as the functions are, in their order, and what they take. */
interface Holding {
  file: string;
  names: readonly string[];
  ms: number;
  /** How many mutants they noticed. */
  noticed: number;
}

const learned = new Map<string, Promise<Holding>>();

/** A test that does not hold is named and left out. */
async function learn(file: string): Promise<Holding> {
  let names = (await load(file)).map(({ name }) => name);
  for (;;) {
    const startedMs = performance.now();
    const failed = await failureOf(file, names, TEST_MS_MAX);
    if (!failed) return { file, names, ms: performance.now() - startedMs, noticed: 0 };
    if (failed.name === '') throw failed.error;
    console.log(`left out (${failed.error.message.split('\n')[0]}): ${failed.name}`);
    names = names.filter((name) => name !== failed.name);
  }
}

async function failureOf(
  file: string,
  names: readonly string[],
  msMax: number,
): Promise<{ name: string; error: Error } | undefined> {
  let last = '';
  const tests = (await load(file)).filter(({ name }) => names.includes(name));
  const error = await failureAmong(tests, ({ name }) => {
    last = name;
    return msMax;
  });
  return error && { name: last, error };
}

/** The files that may notice it: those that noticed the most so far first, then the quickest. */
async function testsOf({ name = '' }: SqlMutant): Promise<Holding[]> {
  const files = TESTS[name];
  if (!files) throw new Error(`test/mutation/sql.mutation.ts: no test is named for ${name}()`);
  const known: Holding[] = [];
  for (const file of files) {
    const found = learned.get(file) ?? learn(file);
    learned.set(file, found);
    known.push(await found);
  }
  return known.sort((a, b) => b.noticed - a.noticed || a.ms - b.ms);
}

/** Undefined: the store refuses it. */
async function outcomeOf(mutant: SqlMutant): Promise<Outcome | undefined> {
  const known = await testsOf(mutant);
  if (!(await put(mutant.changed))) return undefined;
  try {
    for (const one of known) {
      if (!(await failureOf(one.file, one.names, TEST_MS_MAX))) continue;
      one.noticed++;
      return { ...mutant, became: 'noticed' };
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
