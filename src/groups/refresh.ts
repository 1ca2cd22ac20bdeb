import type { Sql } from '../db/database.ts';
import { type Agent, groupOf } from '../domain/agent.ts';
import { durationMs } from '../domain/duration.ts';
import { SourceFailure } from '../net/source-failure.ts';
import type { Services } from '../services.ts';
import { changesOf, matchShifts } from './match.ts';
import { type Shift, SOURCE_KINDS, sourceOf, type Window } from './source.ts';
import type { Sources } from './sources.ts';
import {
  forgetMovedGroups,
  type KnownSource,
  type LiveGroup,
  liveGroups,
  logChange,
  readMembers,
  replaceMembers,
  saveSource,
  sourceKey,
} from './store.ts';

type Needed = Pick<Services, 'db' | 'clock' | 'dayMs' | 'log'>;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** An approval counts as long as its giver was in the group when giving it: that moment must still be known. */
const KEPT_BACK_MS = 7 * DAY_MS;
const KEPT_AHEAD_MS = 14 * DAY_MS;
const READ_EVERY_MS = 300_000;
const RETRY_AFTER_MS = 30_000;
const RETRY_AFTER_MAX_MS = HOUR_MS;

/**
 * Reads the live groups that are due and puts who is in them in force: a group never read or of another manifest at once,
 * else every five minutes, or three times within its `staleAfter`. What cannot be read keeps its people, shows why, and
 * becomes no fresher. To be run by one process at a time; `stopping` ends it between two sources.
 */
export async function refreshGroups(
  services: Needed,
  sources: Sources,
  stopping?: AbortSignal,
): Promise<void> {
  const { db, clock } = services;
  const due = (await liveGroups(db.sql)).filter((group) => isDue(group, clock.now()));
  for (const agent of new Set(due.filter(hasMoved).map((group) => group.agent))) {
    await withAgent(services, agent, (tx, { manifest }) => forgetMovedGroups(tx, manifest, clock.now()));
  }
  const asked = new Map<string, Promise<Read>>();
  const finished = await Promise.allSettled(
    SOURCE_KINDS.map(async (kind) => {
      // One after the other: PagerDuty and Slack ask for that.
      for (const group of due.filter(({ ref }) => ref.kind === kind)) {
        if (stopping?.aborted) return;
        const key = sourceKey(group.ref);
        const read = asked.get(key) ?? readSource(services, sources, group);
        asked.set(key, read);
        await record(services, group, await read);
      }
    }),
  );
  const failed = finished.find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
}

const hasMoved = ({ known, ref }: LiveGroup): boolean =>
  known !== undefined && known.source !== sourceKey(ref);

const isDue = (group: LiveGroup, now: Date): boolean =>
  !group.known?.nextAt ||
  group.known.nextAt <= now ||
  group.known.revision !== group.revision ||
  hasMoved(group);

type Read = { at: Date; window: Window } & ({ shifts: Shift[] } | { failure: SourceFailure });

async function readSource({ clock }: Needed, sources: Sources, { ref }: LiveGroup): Promise<Read> {
  // Before it is asked: the answer is at least as new.
  const at = clock.now();
  const window = {
    from: new Date(at.getTime() - KEPT_BACK_MS),
    to: new Date(at.getTime() + KEPT_AHEAD_MS),
  };
  try {
    return { at, window, shifts: await sources(ref).shifts(window) };
  } catch (error) {
    const failure =
      error instanceof SourceFailure
        ? error
        : new SourceFailure('It could not be read: see the service log', undefined, { cause: error });
    return { at, window, failure };
  }
}

/**
 * Writes what was read. No gate: it orders stops against questions under way, and what a source says is seconds old
 * already. Begin reads the rows again, so who is gone from them can no longer carry an approval from this commit on.
 */
function record(services: Needed, group: LiveGroup, read: Read): Promise<void> {
  return withAgent(services, group.agent, async (tx, { manifest, revision }) => {
    const spec = groupOf(manifest, group.group);
    const ref = spec && sourceOf(spec);
    // The manifest changed while the source was read: the next round reads what it names now.
    if (!spec || !ref || sourceKey(ref) !== sourceKey(group.ref)) return;
    const current = { ...group, spec, revision };
    if ('failure' in read) await recordFailure(services, tx, current, read.at, read.failure);
    else await recordShifts(services, tx, current, manifest, read);
  });
}

async function recordShifts(
  services: Needed,
  tx: Sql,
  group: LiveGroup,
  manifest: Agent,
  { at, window, shifts }: { at: Date; window: Window; shifts: readonly Shift[] },
): Promise<void> {
  const { members, unknown } = matchShifts(manifest, shifts);
  const before = await readMembers(tx, group.agent, group.group);
  await replaceMembers(tx, { agent: group.agent, group: group.group, via: group.ref.kind }, members);
  const staleAfterMs = durationMs(group.spec.staleAfter, services.dayMs);
  await saveSource(tx, group, {
    revision: group.revision,
    fetchedAt: at,
    freshUntil: after(at, staleAfterMs),
    nextAt: after(at, readEveryMs(staleAfterMs)),
    error: null,
    unknown,
  });
  const changes = changesOf(before, members, comparedIn(window, group.known));
  await logChange(tx, { ...group, at }, changes);
}

async function recordFailure(
  { dayMs, log }: Needed,
  tx: Sql,
  group: LiveGroup,
  at: Date,
  failure: SourceFailure,
): Promise<void> {
  if (failure.message !== group.known?.error)
    log.warn({ err: failure, agent: group.agent, group: group.group }, 'an approver group could not be read');
  const staleAfterMs = durationMs(group.spec.staleAfter, dayMs);
  const known = hasMoved(group) ? undefined : group.known;
  const waitMs = Math.max(
    Math.min(RETRY_AFTER_MS, readEveryMs(staleAfterMs)),
    Math.min(failure.retryAfterMs ?? 0, RETRY_AFTER_MAX_MS),
  );
  await saveSource(tx, group, {
    revision: group.revision,
    fetchedAt: known?.fetchedAt ?? null,
    freshUntil: earlier(known?.freshUntil, known?.fetchedAt && after(known.fetchedAt, staleAfterMs)),
    nextAt: after(at, waitMs),
    error: failure.message,
  });
}

/** What was known before reached less far: a shift that only came into sight changed nothing. */
const comparedIn = ({ from, to }: Window, known: KnownSource | undefined): Window => ({
  from,
  to: known?.fetchedAt ? after(known.fetchedAt, KEPT_AHEAD_MS) : to,
});

/** In a transaction in which the manifest stays as it is and nobody else writes its groups. */
async function withAgent(
  { db }: Needed,
  agent: string,
  work: (tx: Sql, row: { manifest: Agent; revision: number }) => Promise<void>,
): Promise<void> {
  await db.sql.transaction().execute(async (tx) => {
    const row = await tx
      .selectFrom('agent')
      .select(['manifest', 'revision'])
      .where('name', '=', agent)
      .forNoKeyUpdate()
      .executeTakeFirst();
    if (row) await work(tx, row);
  });
}

const after = (at: Date, ms: number): Date => new Date(at.getTime() + ms);
const readEveryMs = (staleAfterMs: number): number => Math.min(READ_EVERY_MS, staleAfterMs / 3);

function earlier(a: Date | null | undefined, b: Date | null | undefined): Date | null {
  if (!a || !b) return null;
  return a < b ? a : b;
}
