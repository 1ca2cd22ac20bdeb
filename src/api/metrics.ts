import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { pingDatabase, type Sql } from '../db/database.ts';
import { PARTITIONED, partitionsOf } from '../db/partitions.ts';
import { unsequencedTail } from '../log/sequence.ts';
import { type KeptStatus, keptStatuses } from '../retention/status.ts';
import type { Services } from '../services.ts';
import type { Bound, Bounds } from './bounds.ts';
import { oldestWorkAges, readGauge, STORE_GAUGES } from './store-gauges.ts';

const PREFIX = 'portcullis_';
const LATENCY_BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60];

/** What `/metrics` tells; names no agent and no person. */
export interface ApiMetrics {
  registry: Registry;
  requests: Counter<'method' | 'route' | 'status'>;
  latency: Histogram<'method' | 'route'>;
  asked: Counter<'outcome' | 'kind'>;
  decided: Counter<'verdict'>;
  begun: Counter<'result'>;
  stops: Histogram<'state'>;
  refused: Counter<'bound'>;
}

export function createMetrics(services: Services): ApiMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: PREFIX });
  const registers = [registry];
  gauges(services, registers);
  return {
    registry,
    requests: new Counter({
      name: `${PREFIX}http_requests_total`,
      help: 'Requests answered',
      labelNames: ['method', 'route', 'status'],
      registers,
    }),
    latency: new Histogram({
      name: `${PREFIX}http_request_seconds`,
      help: 'From the request to the end of its answer; long polls are left out',
      labelNames: ['method', 'route'],
      buckets: LATENCY_BUCKETS_S,
      registers,
    }),
    asked: new Counter({
      name: `${PREFIX}actions_asked_total`,
      help: 'Questions answered, by outcome',
      labelNames: ['outcome', 'kind'],
      registers,
    }),
    decided: new Counter({
      name: `${PREFIX}decisions_total`,
      help: 'Decisions of people that counted, through this API and its pages',
      labelNames: ['verdict'],
      registers,
    }),
    begun: new Counter({
      name: `${PREFIX}begins_total`,
      help: 'Begins, by result: begun or the code of the refusal',
      labelNames: ['result'],
      registers,
    }),
    stops: new Histogram({
      name: `${PREFIX}disable_seconds`,
      help: 'From the call of disable to its answer',
      labelNames: ['state'],
      buckets: LATENCY_BUCKETS_S,
      registers,
    }),
    refused: new Counter({
      name: `${PREFIX}refused_over_bound_total`,
      help: 'Requests refused because this process held as many as it takes, or their caller its share',
      labelNames: ['bound'],
      registers,
    }),
  };
}

/** How much of each bound is held now, and how much it is. */
export function measureBounds({ registry, refused }: ApiMetrics, bounds: Bounds): void {
  const gauge = (name: string, help: string, read: (bound: Bound) => number) =>
    new Gauge({
      name: PREFIX + name,
      help,
      labelNames: ['bound'],
      registers: [registry],
      collect() {
        for (const [bound, one] of Object.entries(bounds)) this.set({ bound }, read(one));
      },
    });
  gauge('held', 'What this process holds now of what is bounded', ({ total }) => total);
  gauge('bound', 'The most that this process holds of it', ({ most }) => most);
  for (const bound of Object.keys(bounds)) refused.inc({ bound }, 0);
}

/** Seconds, by table; one without any partition is absent. */
async function partitionEnds(db: Sql, now: Date): Promise<Map<string, number>> {
  const ends = new Map<string, number>();
  for (const one of PARTITIONED) {
    const newest = (await partitionsOf(db, one)).at(-1);
    if (newest) ends.set(one.table, (newest.until.getTime() - now.getTime()) / 1_000);
  }
  return ends;
}

/** Read from the store when scraped. What cannot be read is absent: an old value would read as good news. */
function gauges(services: Services, registers: Registry[]): void {
  new Gauge({
    name: `${PREFIX}store_up`,
    help: 'Whether the store answers',
    registers,
    async collect() {
      this.set((await pingDatabase(services.db)) ? 1 : 0);
    },
  });
  fromStore(services, registers, {
    name: 'oldest_work_age_seconds',
    help: 'How long the oldest work of a background loop waits; 0: none does',
    label: 'loop',
    read: async (db, now) => new Map(Object.entries(await oldestWorkAges(db, now))),
  });
  fromStore(services, registers, {
    name: 'log_unsequenced_entries',
    help: 'Committed entries of the log that have no number yet',
    read: async (db) => new Map([['', await unsequencedTail(db)]]),
  });
  fromStore(services, registers, {
    name: 'partitions_end_seconds',
    help: 'Until the newest partition of a table that grows by the day is over; later rows go to the one of what is kept for longer',
    label: 'table',
    read: partitionEnds,
  });
  // Two figures of one look: those who are asked at once share it.
  let look: Promise<KeptStatus[]> | undefined;
  const kept = (db: Sql): Promise<KeptStatus[]> => {
    look ??= keptStatuses(db, services.retention).finally(() => {
      look = undefined;
    });
    return look;
  };
  fromStore(services, registers, {
    name: 'retention_overdue_seconds',
    help: 'How long the oldest partition is over its time and stands all the same; 0: none is',
    label: 'kept',
    read: async (db, now) =>
      new Map(
        (await kept(db)).map(({ kept: kind, nextDrop }) => [
          kind,
          nextDrop ? Math.max(0, now.getTime() - nextDrop.getTime()) / 1_000 : 0,
        ]),
      ),
  });
  fromStore(services, registers, {
    name: 'kept_bytes',
    help: 'What is kept takes on the disk, with indexes',
    label: 'kept',
    read: async (db) => new Map((await kept(db)).map(({ kept: kind, bytes }) => [kind, bytes])),
  });
  for (const gauge of STORE_GAUGES)
    fromStore(services, registers, { ...gauge, read: (db, now) => readGauge(db, gauge, now) });
  new Counter({
    name: `${PREFIX}reads_lost_total`,
    help: 'Reads answered before they were recorded whose entry was lost since start',
    registers,
    collect() {
      this.reset();
      this.inc(services.after?.lost ?? 0);
    },
  });
}

interface FromStore {
  name: string;
  help: string;
  label?: string;
  /** Values by label, or under '' without one. */
  read: (db: Sql, now: Date) => Promise<ReadonlyMap<string, number>>;
}

function fromStore(
  { db, clock, log }: Services,
  registers: Registry[],
  { name, help, label, read }: FromStore,
): void {
  new Gauge({
    name: PREFIX + name,
    help,
    labelNames: label === undefined ? [] : [label],
    registers,
    async collect() {
      const values = await read(db.sql, clock.now()).catch((error: unknown) => {
        log.debug({ err: error }, 'a gauge could not be read');
        return new Map<string, number>();
      });
      // Cleared and filled in one go: two may look at once.
      if (label === undefined) this.remove();
      else this.reset();
      for (const [value, figure] of values) this.set(label === undefined ? {} : { [label]: value }, figure);
    },
  });
}
