import type { Client } from '@temporalio/client';
import { sweepActions } from './actions/sweep.ts';
import { judgeAutonomy } from './autonomy/judge.ts';
import { exclusively, LOCKS } from './db/exclusive.ts';
import { isStoreDown, isStoreSlow } from './db/failure.ts';
import { makeLogPartition } from './db/log-partitions.ts';
import { makePartitions } from './db/partitions.ts';
import { refreshGroups } from './groups/refresh.ts';
import type { Sources } from './groups/sources.ts';
import { Sequencer } from './log/sequence.ts';
import { startLoop } from './loop.ts';
import { readEpoch } from './records/gate.ts';
import { dropOld } from './retention/drop.ts';
import { followRevocations } from './rollouts/follow-revocations.ts';
import { judgeDue, queueExposed } from './rollouts/judge.ts';
import type { Services } from './services.ts';
import { finishStops } from './switches/disable.ts';
import { dispatchOutbox } from './temporal/dispatch.ts';
import { reconcile } from './temporal/reconcile.ts';
import { TASK_QUEUE } from './temporal/worker.ts';

const JUDGE_EVERY_MS = 250;
const DISPATCH_EVERY_MS = 200;
const SWEEP_EVERY_MS = 1_000;
const SEQUENCE_EVERY_MS = 100;
const LEASE_EVERY_MS = 500;
const REJUDGE_AT_LEAST_MS = 1_000;
/** How long a group that was just applied has nobody in it, at most, plus the time its source takes. */
const GROUPS_EVERY_MS = 5_000;
/** A wrong write is judged at once; this is for what becomes old enough, and for new decisions. */
const AUTONOMY_EVERY_MS = 15_000;
/** A workflow that somebody ended is missed within this and what looking takes; at most five minutes is promised. */
const RECONCILE_EVERY_MS = 20_000;
/** A stop whose process died goes on within this and the time that process would have had. */
const STOPS_EVERY_MS = 1_000;
/** A partition is made a whole period ahead. */
const RETENTION_EVERY_MS = 600_000;

/** What the api role does besides answering: judges, dispatcher, sweeper, reconciler, open stops, sequencer, each in one process at a time. */
export function startBackground(services: Services, client: Client): { wake(): void; stop(): Promise<void> } {
  const { db, log } = services;
  const judge = startLoop(
    'judge',
    JUDGE_EVERY_MS,
    () => exclusively(db, LOCKS.judge, () => judgeDue(services)),
    log,
  );
  const dispatcher = startLoop(
    'dispatcher',
    DISPATCH_EVERY_MS,
    () => exclusively(db, LOCKS.dispatcher, () => dispatchOutbox(services, client, TASK_QUEUE)),
    log,
  );
  const sweeper = startLoop(
    'sweeper',
    SWEEP_EVERY_MS,
    () => exclusively(db, LOCKS.sweeper, () => sweepActions(services)),
    log,
  );
  const rejudge = startLoop(
    'rejudge',
    Math.max(REJUDGE_AT_LEAST_MS, services.dayMs / 24),
    () => queueExposed(services),
    log,
  );
  const autonomy = startLoop(
    'autonomy',
    AUTONOMY_EVERY_MS,
    () => exclusively(db, LOCKS.autonomy, () => judgeAutonomy(services)),
    log,
  );
  const reconciler = startLoop(
    'reconciler',
    RECONCILE_EVERY_MS,
    () => exclusively(db, LOCKS.reconciler, () => reconcile(services, client)),
    log,
  );
  const stops = startLoop(
    'stops',
    STOPS_EVERY_MS,
    () => exclusively(db, LOCKS.stops, () => finishStops(services)),
    log,
  );
  const revocations = startLoop('revocations', STOPS_EVERY_MS, () => followRevocations(services), log);
  const retention = startLoop(
    'retention',
    RETENTION_EVERY_MS,
    () => exclusively(db, LOCKS.retention, () => keepUp(services)),
    log,
  );
  const numbering = new Sequencer(db.sql);
  const sequencer = startLoop('sequencer', SEQUENCE_EVERY_MS, () => numbering.number(), log);
  const lease = startLoop('lease', LEASE_EVERY_MS, () => renewLease(services), log);
  const loops = [
    judge,
    rejudge,
    autonomy,
    dispatcher,
    sweeper,
    reconciler,
    stops,
    revocations,
    retention,
    sequencer,
    lease,
  ];
  return {
    wake() {
      judge.wake();
      dispatcher.wake();
    },
    async stop() {
      await Promise.all(loops.map((loop) => loop.stop()));
      await renewLease(services);
      const lost = services.after?.waiting ?? 0;
      if (lost > 0)
        log.error({ lost }, 'stopped with the store down: reads that were answered are not recorded');
    },
  };
}

/** What the worker role does besides its workflows, since it holds the keys: reads who is in live approver groups. */
export function startGroups(services: Services, sources: Sources): { stop(): Promise<void> } {
  const { db, log } = services;
  const stopping = new AbortController();
  const refresh = () => refreshGroups(services, sources, stopping.signal);
  const loop = startLoop('groups', GROUPS_EVERY_MS, () => exclusively(db, LOCKS.groups, refresh), log);
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
  const { dropped, stays } = await dropOld(services);
  if (dropped.length + stays.length > 0) log.info({ dropped, stays }, 'what is over');
}

/** The store answers and records: reads of `record: after` grants may go on for the length of a lease from before the question. */
async function renewLease(services: Services): Promise<void> {
  const { db, after } = services;
  if (!after) return;
  try {
    const sentMs = performance.now();
    const epoch = await readEpoch(db.sql);
    // First what waits: a store that can be read and not written to (a full disk) gives no lease.
    await after.flush(services);
    after.renew(sentMs, epoch);
  } catch (error) {
    // Asked again in half a second: the lease ends by itself.
    if (!isStoreDown(error) && !isStoreSlow(error)) throw error;
  }
}
