import { type Selectable, sql } from 'kysely';
import { type Actor, requireAllAgents, requireRole } from '../actor.ts';
import type { Database, OwnConnection, Sql } from '../db/database.ts';
import type { StopIntentTable } from '../db/tables.ts';
import { readScope, SCOPE_FORMS } from '../domain/scope.ts';
import { AppError } from '../errors.ts';
import { requireReason } from '../reason.ts';
import { followRevocation } from '../records/revocation.ts';
import type { DisableAnswer, DisableInput, InFlight } from '../records/stop.ts';
import type { Services } from '../services.ts';

const CLOSING_AFTER_MS = 1_000;
const TERMINATED_WITHIN_MS = 2_000;
const LOOKS = 4;
/** How the connections call themselves that stop something. */
const STOPS = 'portcullis stop%';
/** What waited is voided within this, and again within this once those are ended whom it waits for. */
const FOLLOWED_WITHIN_MS = 1_000;

interface DisableRow {
  epoch: number;
  /** What follows after the commit; absent where it was closed already. */
  revocation?: number;
  inFlight: InFlight[];
  credentialsUntil: string | null;
}

type Closed = DisableAnswer & Pick<DisableRow, 'revocation'>;

/**
 * The emergency disable: by the switch's own process where this process has one, else from here.
 * @throws AppError `forbidden`, `invalid_input`, `store_down`
 */
export async function disable(
  services: Pick<Services, 'db' | 'clock' | 'wake' | 'switchProcess'>,
  actor: Actor,
  input: DisableInput,
): Promise<DisableAnswer> {
  requireRole(actor, ['on-call', 'release-manager', 'approver'], agentOfScope(input.scope));
  refuseOneAgentsToken(actor, input.scope);
  const taken = await services.switchProcess?.pull(actor.id, input);
  const answer = taken ?? (await pullSwitch(services, actor.id, input));
  services.wake();
  return answer;
}

/** Everything is not one agent's to stop or to start. @throws AppError `forbidden` */
export function refuseOneAgentsToken(actor: Actor, scope: string): void {
  if (agentOfScope(scope) === undefined) requireAllAgents(actor, ': it may not switch everything');
}

/** `undefined`: all agents. @throws AppError `invalid_input` for what is no scope */
export function agentOfScope(text: string): string | undefined {
  const scope = readScope(text);
  if (scope) return scope.agent;
  throw new AppError('invalid_input', `"${text}" is not a scope: write ${SCOPE_FORMS}`);
}

/**
 * Closes the gate with a connection of its own. That it was asked for is kept first: whoever dies then, the service goes
 * on closing (`finishStops`). It never gives up its place in the lock's queue: from the moment it waits, no further
 * `begin` passes. Backends that after a second still hold the gate, or a row that it changes, are named, and terminated unless they stop something
 * themselves. Needs the database alone, neither Temporal nor Slack; the CLI calls it by `DATABASE_URL` when the API is down.
 */
export async function pullSwitch(
  { db, clock }: Pick<Services, 'db' | 'clock'>,
  actor: string,
  { scope, reason, reads = false }: DisableInput,
): Promise<DisableAnswer> {
  agentOfScope(scope);
  requireReason(reason, 'disable');
  const started = performance.now();
  const stop = await db.openStop();
  const intent = { scope, reads, reason, actor, at: clock.now() };
  const closing = keepIntent(stop.sql, intent)
    .then((id) => closeGate(stop, { id, ...intent }))
    .catch(refusedScope);
  const following = follow(stop, closing, clock);
  return followed(db, following, await closedOrClosing(db, closing, scope, started));
}

/**
 * Goes on with stops whose gate was not closed, whoever asked for them and died. Those that were just asked for are still
 * being closed by whoever did.
 */
export async function finishStops({ db, clock, log }: Pick<Services, 'db' | 'clock' | 'log'>): Promise<void> {
  for (const intent of await openIntents(db.sql, clock.now())) {
    if (waiting.has(intent.id)) continue;
    try {
      const started = performance.now();
      const stop = await db.openStop();
      let isOver = false;
      const closing = goOn(stop, intent.id).then((row) => {
        isOver = row === undefined;
        return row ?? NOTHING_STOPPED;
      });
      const following = follow(stop, closing, clock);
      const closed = await closedOrClosing(db, closing, intent.scope, started);
      if (isOver) continue;
      const { state, heldBy, voided } = await followed(db, following, closed);
      log.warn(
        { intent: intent.id, scope: intent.scope, state, heldBy, voided },
        'went on with an open stop',
      );
    } catch (error) {
      // The others are no less urgent.
      log.error({ err: error, intent: intent.id, scope: intent.scope }, 'a stop could not be closed');
    }
  }
}

/** Stops that were asked for, that have not closed the gate, and whose caller had time to. */
export const openIntents = (db: Sql, now: Date): Promise<Intent[]> =>
  db
    .selectFrom('stop_intent')
    .select(['id', 'scope', 'reads', 'reason', 'actor', 'at'])
    .where('closed_at', 'is', null)
    .where('at', '<', new Date(now.getTime() - CLOSING_AFTER_MS - TERMINATED_WITHIN_MS))
    .orderBy('id')
    .execute();

const NOTHING_STOPPED: DisableRow = { epoch: 0, inFlight: [], credentialsUntil: null };

/** Those for which a connection of this process waits already. */
const waiting = new Set<number>();

type Intent = Pick<Selectable<StopIntentTable>, 'id' | 'scope' | 'reads' | 'reason' | 'actor' | 'at'>;

async function keepIntent(db: Sql, { scope, reads, reason, actor, at }: Omit<Intent, 'id'>): Promise<number> {
  const { rows } = await sql<{ id: number }>`
    SELECT intend_stop(${scope}, ${reads}, ${reason}, ${actor}, ${at}) AS id`.execute(db);
  if (!rows[0]) throw new Error('the store kept no stop');
  return rows[0].id;
}

async function closeGate(
  { sql: db }: OwnConnection,
  { id, scope, reads, reason, actor, at }: Intent,
): Promise<DisableRow> {
  waiting.add(id);
  try {
    const { rows } = await sql<{ answer: DisableRow }>`
      SELECT disable_switch(${scope}, ${reads}, ${reason}, ${actor}, ${at}, ${id}) AS answer`.execute(db);
    if (!rows[0]) throw new Error('the store answered nothing to a stop');
    return rows[0].answer;
  } finally {
    waiting.delete(id);
  }
}

/** Undefined: it was closed since it was read, or enabling ended it; whoever is late must not stop again what is on. */
async function goOn({ sql: db }: OwnConnection, id: number): Promise<DisableRow | undefined> {
  waiting.add(id);
  try {
    const { rows } = await sql<{ answer: DisableRow | null }>`SELECT finish_stop(${id}) AS answer`.execute(
      db,
    );
    return rows[0]?.answer ?? undefined;
  } finally {
    waiting.delete(id);
  }
}

async function closedOrClosing(
  db: Database,
  closing: Promise<DisableRow>,
  scope: string,
  started: number,
): Promise<Closed> {
  const common = { scope, inFlight: [], heldBy: [], failoverSafe: false };
  const closed = (row: DisableRow): Closed => ({
    ...common,
    ...row,
    credentialsUntil: row.credentialsUntil ?? undefined,
    state: 'closed',
    offAtMs: performance.now() - started,
  });
  const first = await within(closing, CLOSING_AFTER_MS);
  if (first.done) return closed(first.value);
  const heldBy: Holder[] = [];
  // Behind the gate may be a row that somebody else holds.
  for (let look = 0; look < LOOKS; look++) {
    const found = await endHolders(db.sql);
    heldBy.push(...found.filter(({ pid }) => heldBy.every((holder) => holder.pid !== pid)));
    const next = await within(closing, TERMINATED_WITHIN_MS / LOOKS);
    if (next.done) return { ...closed(next.value), heldBy };
  }
  closing.catch(() => {});
  return { ...common, heldBy, state: 'closing', offAtMs: performance.now() - started };
}

/**
 * What waited is voided, and people are told: on the connection of the stop, so that it takes from the next one nothing, and
 * whoever it waits for is found as for the stop itself. The connection is closed when that is over, however it ends.
 */
function follow(
  stop: OwnConnection,
  closing: Promise<DisableRow>,
  clock: Services['clock'],
): Promise<number> {
  const following = closing
    .then(({ revocation }) =>
      revocation === undefined ? 0 : followRevocation(stop.sql, revocation, clock.now()),
    )
    .finally(() => stop.close());
  following.catch(() => {});
  return following;
}

/** Where that takes long or fails, the service goes on with it. */
async function followed(
  db: Database,
  following: Promise<number>,
  { revocation: _, ...answer }: Closed,
): Promise<DisableAnswer> {
  if (answer.state === 'closing') return answer;
  const soon = () => within(following, FOLLOWED_WITHIN_MS).catch(() => ({ done: false as const }));
  const first = await soon();
  if (first.done) return { ...answer, voided: first.value };
  const heldBy = [...answer.heldBy, ...(await endHolders(db.sql))];
  const next = await soon();
  return next.done ? { ...answer, heldBy, voided: next.value } : { ...answer, heldBy };
}

/** What the function itself refuses, such as a scope that names nobody, in its own words. */
function refusedScope(error: unknown): never {
  if (error instanceof Error && (error as { code?: unknown }).code === '22023') {
    throw new AppError('invalid_input', `Cannot disable: ${error.message}`, {}, { cause: error });
  }
  throw error;
}

async function within<T>(
  promise: Promise<T>,
  ms: number,
): Promise<{ done: true; value: T } | { done: false }> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<{ done: false }>((resolve) => {
    timer = setTimeout(() => resolve({ done: false }), ms);
  });
  try {
    return await Promise.race([promise.then((value) => ({ done: true as const, value })), late]);
  } finally {
    clearTimeout(timer);
  }
}

type Holder = DisableAnswer['heldBy'][number];

/**
 * Names the backends that hold the gate's lock, or a row that a stop waits for, and ends them; what they did not commit never
 * happened. One that stops something itself is waited for, and is named unless it waits too.
 */
async function endHolders(db: Sql): Promise<Holder[]> {
  const { rows } = await sql<Holder>`
    WITH holder AS (
      SELECT l.pid FROM pg_locks l
      WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND (l.classid::bigint << 32 | l.objid::bigint) = gate_key()
      UNION
      SELECT unnest(pg_blocking_pids(s.pid)) FROM pg_stat_activity s
      WHERE s.datname = current_database() AND s.application_name LIKE ${STOPS}
        AND s.wait_event_type = 'Lock' AND s.wait_event <> 'advisory'
    )
    SELECT a.pid, a.application_name AS what,
      CASE WHEN a.application_name NOT LIKE ${STOPS} THEN pg_terminate_backend(a.pid) END
    FROM holder JOIN pg_stat_activity a USING (pid)
    WHERE a.application_name NOT LIKE ${STOPS} OR a.wait_event_type IS DISTINCT FROM 'Lock'`.execute(db);
  return rows.map(({ pid, what }) => ({ pid, what }));
}
