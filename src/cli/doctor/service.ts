import type { Reconciled } from '../../records/reconciliation.ts';
import type { WorkerState } from '../../temporal/current-version.ts';
import type { ApiClient } from '../client.ts';
import { CliError } from '../failure.ts';
import { formatDuration, formatTime } from '../text/format.ts';
import type { WireSwitch } from '../wire.ts';
import { type Check, fail, ok, warn, wordsOf } from './check.ts';
import { offCheck } from './switched-off.ts';

/** More than the sequencer leaves behind in a second. */
export const TAIL_MAX = 5_000;
/** Every loop looks several times within it. */
const WAITS_MAX_S = 60;
/** They are compared every 20 s. */
const COMPARED_WITHIN_MS = 5 * 60_000;

interface Ready {
  status: 'ready' | 'not-ready';
  database: 'up' | 'down' | 'unknown';
  temporal: 'up' | 'down' | 'unknown';
  worker?: WorkerState;
  workflows?: Reconciled;
  background?: { work: string; by?: string }[];
  closing?: { stops: number; since: string };
  unsequencedTail?: number;
  oldestWork?: Record<string, number>;
}

/** The service as it sees itself, and whether it takes this token. */
export async function checkService(api: ApiClient): Promise<Check[]> {
  const name = 'service';
  let ready: Ready;
  try {
    ready = await api.get<Ready>('/readyz');
  } catch (error) {
    const mend =
      error instanceof CliError && error.hint?.startsWith('Start')
        ? error.hint
        : 'Look at its log; restart it';
    return [fail(name, wordsOf(error), mend)];
  }
  const checks = [ok(name, `answers at ${api.connection.url}`)];
  if (ready.database !== 'up') {
    checks.push(
      fail('its database', 'the service cannot reach it', 'Check the database; nothing is decided meanwhile'),
    );
  }
  if (ready.temporal === 'up') checks.push(ok('its Temporal', 'answers'));
  else if (ready.temporal === 'down') {
    const detail = 'the service cannot reach it: decisions count, cards and rollouts wait';
    checks.push(fail('its Temporal', detail, 'Start it, or check TEMPORAL_ADDRESS'));
  }
  if (ready.worker) checks.push(workerCheck(ready.worker));
  if (ready.workflows) checks.push(...workflowChecks(ready.workflows, Date.now()));
  if (ready.background) checks.push(backgroundCheck(ready.background));
  if (ready.closing) checks.push(closingCheck(ready.closing));
  if (ready.unsequencedTail !== undefined) checks.push(tailCheck(ready.unsequencedTail));
  if (ready.oldestWork) checks.push(backlogCheck(ready.oldestWork));
  return [...checks, await checkToken(api), ...(await checkSwitches(api))];
}

/** Whether the worker in the service's own process is given work. */
function workerCheck({ build, state, detail, mend, since }: WorkerState): Check {
  const name = 'its worker';
  if (state === 'serving') return ok(name, `serves, build ${build}`);
  if (state === 'replaced') return ok(name, `waits: ${detail}, this one is ${build}`);
  if (state === 'starting')
    return warn(name, `starts, build ${build}, since ${since}`, 'Look again in a few seconds');
  return fail(name, `${detail ?? state}, since ${since}`, mend ?? 'Look at its log');
}

/** Whether somebody compares open records with workflows, and what was found missing. */
function workflowChecks({ comparedAt, open, restarted }: Reconciled, nowMs: number): Check[] {
  const name = 'workflows';
  const mend =
    'They are compared by a process with the role background while Temporal answers: look at its log for "reconciler"';
  if (!comparedAt) return [warn(name, 'open records were never compared with them', mend)];
  const agoMs = nowMs - Date.parse(comparedAt);
  const compared =
    agoMs <= COMPARED_WITHIN_MS
      ? ok(name, `${open} open records have theirs, looked at ${comparedAt}`)
      : fail(name, `open records were last compared with them ${formatDuration(agoMs)} ago`, mend);
  if (restarted.length === 0) return [compared];
  const words = restarted.map(
    ({ kind, found, count, lastAt }) => `${count} ${kind} (${found}; last ${lastAt})`,
  );
  return [
    compared,
    warn(
      'missing workflows',
      `started again in the last 24 h: ${words.join(', ')}`,
      'Nothing is lost; find out who ends workflows or lost the store of Temporal. The service\'s log names each: "workflow was missing"',
    ),
  ];
}

/** What one process at a time does: nobody means that it is not done. A holder that died or stands still is replaced within seconds. */
function backgroundCheck(background: readonly { work: string; by?: string }[]): Check {
  const name = 'background';
  const idle = background.filter(({ by }) => by === undefined).map(({ work }) => work);
  if (idle.length === 0) {
    const by = [...new Set(background.map((one) => one.by))].join(', ');
    return ok(name, `${background.map(({ work }) => work).join(', ')}: done by ${by}`);
  }
  return fail(
    name,
    `nobody does ${idle.join(', ')}`,
    'Look again in 15 s; then run a process with the role background, for groups one with the role worker (portcullis up --roles worker,background)',
  );
}

/** Stops that wait for the gate: the service goes on with them, whoever asked. */
const closingCheck = ({ stops, since }: { stops: number; since: string }): Check =>
  fail(
    'CLOSING',
    `${stops === 1 ? 'a stop waits' : `${stops} stops wait`} for the gate since ${formatTime(since)}`,
    'The service goes on with it, and its log names who holds the gate ("went on with an open stop")',
  );

/** Entries that are committed and have no number yet. */
export function tailCheck(tail: number): Check {
  const detail = `${tail} entries committed and not numbered yet`;
  return tail <= TAIL_MAX
    ? ok('log', detail)
    : fail(
        'log',
        detail,
        'Nobody numbers them: run a process with the role background (portcullis up --roles background)',
      );
}

/** Work that waits: an agent's own server may keep its callbacks waiting for days. */
function backlogCheck(oldestWork: Record<string, number>): Check {
  const name = 'background';
  const late = Object.entries(oldestWork).filter(([loop, age]) => age > WAITS_MAX_S && loop !== 'callbacks');
  if (late.length === 0) return ok(name, 'nothing waits for long');
  const words = late.map(([loop, age]) => `${loop} for ${formatDuration(age * 1_000)}`).join(', ');
  return warn(
    name,
    `work waits: ${words}`,
    'See docs/operations.md, what each loop does and what to look at',
  );
}

async function checkSwitches(api: ApiClient): Promise<Check[]> {
  try {
    const { switches } = await api.get<{ switches: WireSwitch[] }>('/v1/switches');
    return switches.map(offCheck);
  } catch (error) {
    if (error instanceof CliError) return [];
    throw error;
  }
}

async function checkToken(api: ApiClient): Promise<Check> {
  const { tokenFrom } = api.connection;
  try {
    await api.get('/v1/agents');
    return ok('token', `accepted (${tokenFrom})`);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    // Admins see tokens and nothing else: refused for its role, so it is known.
    if (error.code === 'forbidden')
      return ok('token', `accepted (${tokenFrom}), for other things than reading`);
    return warn('token', error.message, error.hint ?? 'Set PORTCULLIS_TOKEN');
  }
}
