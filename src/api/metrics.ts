import { sql } from 'kysely';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { unsequencedTail } from '../log/sequence.ts';
import type { Services } from '../services.ts';
import type { Bound, Bounds } from './bounds.ts';

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

/** Read from the store when scraped; with the store down they keep their last values. */
function gauges(services: Services, registers: Registry[]): void {
  const quietly = async (read: () => Promise<void>) => {
    await read().catch((error: unknown) => services.log.debug({ err: error }, 'a gauge could not be read'));
  };
  new Gauge({
    name: `${PREFIX}log_unsequenced_entries`,
    help: 'Committed entries of the log that have no number yet',
    registers,
    collect() {
      return quietly(async () => this.set(await unsequencedTail(services.db.sql)));
    },
  });
  new Gauge({
    name: `${PREFIX}actions_open`,
    help: 'Actions that wait or run, by state',
    labelNames: ['state'],
    registers,
    collect() {
      return quietly(async () => {
        const { rows } = await sql<{
          state: string;
          n: number;
        }>`SELECT state, count(*)::int AS n FROM open_action
          GROUP BY state`.execute(services.db.sql);
        this.reset();
        for (const { state, n } of rows) this.set({ state }, n);
      });
    },
  });
  new Gauge({
    name: `${PREFIX}reads_lost`,
    help: 'Reads answered before they were recorded whose entry was lost since start',
    registers,
    collect() {
      this.set(services.after?.lost ?? 0);
    },
  });
}
