import type { ApiClient } from '../client.ts';
import { CliError } from '../failure.ts';
import type { WireSwitch } from '../wire.ts';
import { type Check, fail, ok, warn, wordsOf } from './check.ts';
import { offCheck } from './switched-off.ts';

const WITHIN_MS = 5_000;
/** More than the sequencer leaves behind in a second. */
export const TAIL_MAX = 5_000;

interface Ready {
  status: 'ready' | 'not-ready';
  database: 'up' | 'down' | 'unknown';
  temporal: 'up' | 'down' | 'unknown';
  unsequencedTail?: number;
}

/** The service as it sees itself, and whether it takes this token. */
export async function checkService(api: ApiClient): Promise<Check[]> {
  const name = 'service';
  let ready: Ready;
  try {
    ready = await api.get<Ready>('/readyz', undefined, { timeoutMs: WITHIN_MS });
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
  if (ready.unsequencedTail !== undefined) checks.push(tailCheck(ready.unsequencedTail));
  return [...checks, await checkToken(api), ...(await checkSwitches(api))];
}

/** Entries that are committed and have no number yet. */
export function tailCheck(tail: number): Check {
  const detail = `${tail} entries committed and not numbered yet`;
  return tail <= TAIL_MAX
    ? ok('log', detail)
    : fail('log', detail, 'Nobody numbers them: run a process with the role api (portcullis up --roles api)');
}

async function checkSwitches(api: ApiClient): Promise<Check[]> {
  try {
    const { switches } = await api.get<{ switches: WireSwitch[] }>('/v1/switches', undefined, {
      timeoutMs: WITHIN_MS,
    });
    return switches.map(offCheck);
  } catch (error) {
    if (error instanceof CliError) return [];
    throw error;
  }
}

async function checkToken(api: ApiClient): Promise<Check> {
  const { tokenFrom } = api.connection;
  try {
    await api.get('/v1/agents', undefined, { timeoutMs: WITHIN_MS });
    return ok('token', `accepted (${tokenFrom})`);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    // Admins see tokens and nothing else: refused for its role, so it is known.
    if (error.code === 'forbidden')
      return ok('token', `accepted (${tokenFrom}), for other things than reading`);
    return warn('token', error.message, error.hint ?? 'Set PORTCULLIS_TOKEN');
  }
}
