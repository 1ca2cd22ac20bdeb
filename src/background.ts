import type { Client } from '@temporalio/client';
import { sweepActions } from './actions/sweep.ts';
import { judgeAutonomy } from './autonomy/judge.ts';
import { type Exclusive, type Held, holders, startExclusive } from './db/exclusive.ts';
import { isStoreDown, isStoreSlow } from './db/failure.ts';
import { makeLogPartition } from './db/log-partitions.ts';
import { makePartitions } from './db/partitions.ts';
import { FACT_SOURCES } from './follow-ups/sources.ts';
import { sweepFollowUps } from './follow-ups/sweep.ts';
import { refreshGroups } from './groups/refresh.ts';
import { type Calendars, refreshFreezes } from './groups/refresh-freezes.ts';
import type { Sources } from './groups/sources.ts';
import { openLateStops } from './incidents/late-stops.ts';
import { remindUnclassified } from './incidents/remind.ts';
import { Sequencer } from './log/sequence.ts';
import { type Loop, startLoop } from './loop.ts';
import type { SourceCredentials } from './metric-sources/credentials.ts';
import { foldCounts } from './records/counters.ts';
import { readEpoch } from './records/gate.ts';
import type { AfterBuffer } from './records/record-after.ts';
import { dropOld } from './retention/drop.ts';
import { dropOldPoints } from './retention/drop-points.ts';
import { followCycles } from './reviews/follow-cycles.ts';
import { judgeAssignment } from './rollouts/arms.ts';
import { followRevocations } from './rollouts/follow-revocations.ts';
import { judgeDue, queueExposed } from './rollouts/judge.ts';
import { readSources } from './rollouts/read-sources.ts';
import { endWatches } from './rollouts/watch.ts';
import type { Services } from './services.ts';
import { resumeErasures } from './subjects/erase.ts';
import { finishStops } from './switches/disable.ts';
import { dispatchOutbox } from './temporal/dispatch.ts';
import { reconcile } from './temporal/reconcile.ts';

const JUDGE_EVERY_MS = 250;
const DISPATCH_EVERY_MS = 200;
/** Of deadlines that are days away. */
const LEARNING_EVERY_MS = 5_000;
const SWEEP_EVERY_MS = 1_000;
const FOLD_EVERY_MS = 1_000;
const SEQUENCE_EVERY_MS = 100;
const LEASE_EVERY_MS = 500;
/** Longer than a holder that stands still keeps others waiting. */
const WATCH_EVERY_MS = 20_000;
const BACKGROUND = [
  'judge',
  'dispatcher',
  'sweeper',
  'autonomy',
  'arms',
  'reconciler',
  'erasures',
  'retention',
  'sources',
  'reviews',
  'learning',
] as const satisfies readonly Exclusive[];
const REJUDGE_AT_LEAST_MS = 1_000;
/** A watch is over by the clock; this is for what the log says of it. */
const WATCHES_EVERY_MS = 15_000;
/** Whom a write is asked for is counted minutes later anyway. */
const ARMS_EVERY_MS = 15_000;
/** How long a group that was just applied has nobody in it, at most, plus the time its source takes. */
const GROUPS_EVERY_MS = 5_000;
/** A wrong write is judged at once; this is for what becomes old enough, and for new decisions. */
const AUTONOMY_EVERY_MS = 15_000;
/** A workflow that somebody ended is missed within this and what looking takes; at most five minutes is promised. */
const RECONCILE_EVERY_MS = 20_000;
/** A stop whose process died goes on within this and the time that process would have had. */
const STOPS_EVERY_MS = 1_000;
/** Whoever asks for an erasure begins it; this goes on with it. */
const ERASURES_EVERY_MS = 2_000;
/** How late a source that is due is read, at most. */
const SOURCES_EVERY_MS = 5_000;
/** How soon after its end what was seen of a cycle is written down, and its review reminded of. */
const REVIEWS_EVERY_MS = 5_000;
/** A partition is made a whole period ahead. */
const RETENTION_EVERY_MS = 600_000;

/** Loops that run until they are stopped. */
export interface Loops {
  stop(): Promise<void>;
}

/**
 * The role background: judge, dispatcher, sweeper, reconciler, autonomy, each in one process of the installation at a
 * time, and the sequencer and who adds up the counts, whose one statement takes its lock by itself.
 */
export function startBackground(
  services: Services,
  client: Client,
  credentials: SourceCredentials,
): Loops & { wake(): void } {
  const { db, log } = services;
  const judge = exclusive(services, 'judge', JUDGE_EVERY_MS, judgeAgain());
  const dispatcher = exclusive(services, 'dispatcher', DISPATCH_EVERY_MS, (held, { assertHeld }) =>
    dispatchOutbox(held, client, { assertMine: assertHeld }),
  );
  const numbering = new Sequencer(db.sql);
  const loops = [
    judge,
    dispatcher,
    exclusive(services, 'sweeper', SWEEP_EVERY_MS, sweepActions),
    exclusive(services, 'autonomy', AUTONOMY_EVERY_MS, judgeAutonomy),
    exclusive(services, 'learning', LEARNING_EVERY_MS, keepLearning()),
    exclusive(services, 'arms', ARMS_EVERY_MS, judgeAssignment),
    exclusive(services, 'reconciler', RECONCILE_EVERY_MS, (held) => reconcile(held, client)),
    exclusive(services, 'erasures', ERASURES_EVERY_MS, resumeErasures),
    exclusive(services, 'retention', RETENTION_EVERY_MS, keepUp),
    exclusive(services, 'sources', SOURCES_EVERY_MS, (held) => readSources(held, credentials)),
    exclusive(services, 'reviews', REVIEWS_EVERY_MS, followCycles),
    startLoop('sequencer', SEQUENCE_EVERY_MS, () => numbering.number(), log),
    startLoop('counters', FOLD_EVERY_MS, () => foldCounts(db.sql, services.dayMs), log),
  ];
  return {
    wake() {
      judge.wake();
      dispatcher.wake();
    },
    stop: () => stopAll(loops),
  };
}

/** Goes on with stops and what follows from them, whose caller died: what every process does, so that a stop waits for no role. */
export const startStops = (services: Services): Loops =>
  exclusive(services, 'stops', STOPS_EVERY_MS, async (held) => {
    await finishStops(held);
    await followRevocations(held);
  });

/** What the worker role does besides its workflows, since it holds the keys: reads who is in live approver groups. */
export function startGroups(services: Services, sources: Sources, calendars: Calendars): Loops {
  const stopping = new AbortController();
  const loop = exclusive(services, 'groups', GROUPS_EVERY_MS, async (held) => {
    // Whatever becomes of the groups, calendars are read: one that is not keeps every rollout where it is.
    const failed = await refreshGroups(held, sources, stopping.signal).then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    await refreshFreezes(held, calendars, stopping.signal);
    if (failed) throw failed.error;
  });
  return {
    async stop() {
      stopping.abort();
      await loop.stop();
    },
  };
}

/** Makes room for what comes, and lets go what is over. */
async function keepUp(services: Services): Promise<void> {
  const { db, clock, log } = services;
  await makePartitions(db, clock.now());
  await makeLogPartition(db.sql);
  await dropOldPoints(db.sql, clock.now());
  const { dropped, stays } = await dropOld(services);
  if (dropped.length + stays.length > 0) log.info({ dropped, stays }, 'what is over');
}

/** For a process whose role it is not: says in its log, again and again, what nobody does in the background. */
export function watchBackground({ db, log }: Services, everyMs = WATCH_EVERY_MS): Loops {
  let missedBefore: readonly string[] = [];
  const look = async () => {
    const held = await holders(db.sql);
    const missed = BACKGROUND.filter((work) => held[work] === undefined);
    // Whoever starts, or takes over, may be about to.
    const nobodyDoes = missed.filter((work) => missedBefore.includes(work));
    missedBefore = missed;
    if (nobodyDoes.length > 0)
      log.error(
        { nobodyDoes },
        'NOBODY JUDGES, TELLS OR ENDS ANYTHING: run a process with the role background (portcullis up --roles background)',
      );
  };
  return startLoop('background watch', everyMs, look, log);
}

/** What a process that answers asks does for itself: the lease under which reads go on while the store is down. */
export function startLease(services: Services, after: AfterBuffer): Loops {
  const renew = () => renewLease(services, after);
  const loop = startLoop('lease', LEASE_EVERY_MS, renew, services.log);
  return {
    async stop() {
      await loop.stop();
      await renew();
      const lost = after.waiting;
      if (lost > 0)
        services.log.error(
          { lost },
          'stopped with the store down: reads that were answered are not recorded',
        );
    },
  };
}

const stopAll = async (loops: readonly Loops[]): Promise<void> =>
  void (await Promise.all(loops.map((loop) => loop.stop())));

/** The services that the work is given reach the store by the lock's own session alone. */
const exclusive = (
  services: Services,
  name: Exclusive,
  everyMs: number,
  work: (services: Services, held: Held) => Promise<unknown>,
): Loop =>
  startExclusive(services, name, everyMs, (held) =>
    work(Object.create(services, { db: { value: held.db } }) as Services, held),
  );

/** Late stops become incidents; what is due to be classified or done is reminded of. */
function keepLearning(): (services: Services) => Promise<unknown> {
  const settled = {};
  return async (services) => {
    await openLateStops(services, settled);
    await remindUnclassified(services);
    return sweepFollowUps(services, FACT_SOURCES);
  };
}

/** Judges what changed; now and then everything that is exposed, and whose watch is over. */
function judgeAgain(): (services: Services) => Promise<unknown> {
  let nextMs = 0;
  let watchesMs = 0;
  return async (services) => {
    if (performance.now() >= watchesMs) {
      watchesMs = performance.now() + WATCHES_EVERY_MS;
      // Whatever becomes of it, breaches are judged.
      await endWatches(services).catch((error: unknown) =>
        services.log.error({ err: error }, 'a watch that is over could not be ended'),
      );
    }
    if (performance.now() >= nextMs) {
      await queueExposed(services);
      nextMs = performance.now() + Math.max(REJUDGE_AT_LEAST_MS, services.dayMs / 24);
    }
    return judgeDue(services);
  };
}

/** The store answers and records: reads of `record: after` grants may go on for the length of a lease from before the question. */
async function renewLease(services: Services, after: AfterBuffer): Promise<void> {
  try {
    const sentMs = performance.now();
    const epoch = await readEpoch(services.db.sql);
    // First what waits: a store that can be read and not written to (a full disk) gives no lease.
    await after.flush(services);
    after.renew(sentMs, epoch);
  } catch (error) {
    // Asked again in half a second: the lease ends by itself.
    if (!isStoreDown(error) && !isStoreSlow(error)) throw error;
  }
}
