import {
  allotAlpha,
  POOLED_SEGMENT,
  sharesOf,
  thresholdLogE,
  weightOf,
} from '../src/domain/evidence/alpha.ts';
import {
  betLogs,
  type DayBucket,
  logE,
  RESTART_START,
  restartAfter,
  restartLogE,
  restartStateLogE,
} from '../src/domain/evidence/eprocess.ts';
import { type Random, randomFrom } from '../src/domain/evidence/forecast.ts';
import { spreadOf } from '../src/domain/evidence/spread.ts';
import { benchMemory } from './rollout-memory.ts';
import { benchMixed } from './rollout-mixed.ts';

const SEED = 20_261_121;
const ALPHA = 0.05;
const DAYS = 60;
const SEGMENTS = 20;
const A_DAY = 20;
const RUNS = 400;
/** A whole rollout of 120 processes takes about half a second. */
const MIXED_RUNS = 150;
const POOL_EVENTS = [40, 120, 200];

type Say = (line?: string) => void;

/** What decides a rollback, played: how often a healthy release is taken back, and how soon harm is. */
export function benchRollout(say: Say, runs = RUNS): void {
  benchMixed(say, Math.min(runs, MIXED_RUNS));
  say(
    `\nseed ${SEED}, ${runs} runs, alpha ${ALPHA}, ${A_DAY} events a day, ${DAYS} days, looked at after every event`,
  );
  say('A healthy release taken back, exactly at its limit');
  say(line('one segment, one guardrail of 2 %, the same rule', share(one(runs, RULES.ours))));
  say(line('  a z test looked at after each event, from 100', share(one(runs, RULES.z))));
  say(line('  20-event windows within 5 %, 3 may fail (Argo)', share(one(runs, RULES.windows))));
  say('\nThe same with subjects that are alike (one segment, a subject on half of the days)');
  for (const correlation of [0, 0.05, 0.2])
    say(
      line(
        `  correlation ${correlation}: 30 / 100 / 300 subjects`,
        [30, 100, 300].map((n) => share(correlated(runs, n, correlation))).join(' / '),
      ),
    );
  say('\nEvents until harm is found, half of the runs (nine of ten), at alpha and at a fiftieth of it');
  for (const [limit, rate] of [
    [0.02, 0.05],
    [0.02, 0.1],
    [0.05, 0.15],
    [0.1, 0.2],
  ] as const)
    say(line(`  limit ${percent(limit)}, true ${percent(rate)}`, found(limit, rate, runs)));
  say('\nHarm of 10 % in one of 20 segments, the others at half of their limit of 2 %');
  const { only, others } = oneOfTwenty(runs);
  say(line('  that segment alone is taken back', share(only)));
  say(line('  another one is too', share(others)));
  say(`\n4 of 20 segments at 15 % against 5 %, ${POOL_EVENTS.join(' / ')} events each: noticed by`);
  const caps = POOL_EVENTS.map((events) => poolCap(runs, events));
  const shares = (of: (cap: (typeof caps)[number]) => Hits) => caps.map((cap) => share(of(cap))).join(' / ');
  say(
    line(
      '  the pooled process alone',
      shares(({ pooled }) => pooled),
    ),
  );
  say(
    line(
      '  the same under its cap (it takes all back)',
      shares(({ capped }) => capped),
    ),
  );
  say(
    line(
      "  the segments' own",
      shares(({ own }) => own),
    ),
  );
  benchMemory(say);
}

const line = (what: string, value: string): string => `${what.padEnd(54)}${value}`;
const percent = (value: number): string => `${Number((value * 100).toPrecision(3))} %`;
const share = ({ hits, of }: Hits): string => percent(hits / of);

interface Hits {
  hits: number;
  of: number;
}

function count(of: number, hit: () => boolean): Hits {
  let hits = 0;
  for (let run = 0; run < of; run += 1) if (hit()) hits += 1;
  return { hits, of };
}

/** A process that is looked at after every event; E falls with harmless ones, so the others suffice. */
class Watched {
  #past = RESTART_START;
  #day = { events: 0, harms: 0 };
  readonly buckets: DayBucket[] = [];

  constructor(
    readonly limit: number,
    readonly threshold: number,
  ) {}

  /** Whether it fires. */
  add(harm: boolean): boolean {
    this.#day.events += 1;
    if (!harm) return false;
    this.#day.harms += 1;
    return restartStateLogE(restartAfter(this.#past, betLogs(this.#day, this.limit))) >= this.threshold;
  }

  nextDay(day: number): void {
    this.buckets.push({ day, ...this.#day });
    this.#past = restartAfter(this.#past, betLogs(this.#day, this.limit));
    this.#day = { events: 0, harms: 0 };
  }
}

const names = Array.from({ length: SEGMENTS }, (_, n) => `s${n}`);

type Rule = () => (harm: boolean) => boolean;

const RULES: Record<'ours' | 'z' | 'windows', Rule> = {
  ours: () => {
    const process = new Watched(0.02, Math.log(1 / ALPHA));
    let events = 0;
    return (harm) => {
      const fired = process.add(harm);
      events += 1;
      if (events % A_DAY === 0) process.nextDay(events / A_DAY);
      return fired;
    };
  },
  z: () => {
    let [events, harms] = [0, 0];
    return (harm) => {
      events += 1;
      harms += harm ? 1 : 0;
      return events >= 100 && (harms / events - 0.02) / Math.sqrt((0.02 * 0.98) / events) > 1.645;
    };
  },
  windows: () => {
    let [events, harms, failed] = [0, 0, 0];
    return (harm) => {
      events += 1;
      harms += harm ? 1 : 0;
      if (events < 20) return false;
      if (harms / events > 0.05) failed += 1;
      [events, harms] = [0, 0];
      return failed > 3;
    };
  },
};

function one(runs: number, rule: Rule): Hits {
  const random = randomFrom(SEED);
  return count(runs, () => {
    const watch = rule();
    for (let n = 0; n < DAYS * A_DAY; n += 1) if (watch(random() < 0.02)) return true;
    return false;
  });
}

/** Subjects whose own rates differ: a beta distribution around the limit, of which the correlation is the spread. */
function correlated(runs: number, subjects: number, correlation: number): Hits {
  const random = randomFrom(SEED);
  const limit = 0.05;
  return count(runs, () => {
    const rates = Array.from({ length: subjects }, () =>
      correlation === 0 ? limit : beta(limit, (1 - correlation) / correlation, random),
    );
    const process = new Watched(limit, Math.log(1 / ALPHA));
    for (let day = 0; day < DAYS; day += 1) {
      for (const rate of rates) if (random() < 0.5 && process.add(random() < rate)) return true;
      process.nextDay(day);
    }
    return false;
  });
}

function beta(mean: number, size: number, random: Random): number {
  const [one, other] = [gamma(mean * size, random), gamma((1 - mean) * size, random)];
  return one + other === 0 ? mean : one / (one + other);
}

/** By Marsaglia and Tsang; a shape below 1 is lifted. */
function gamma(shape: number, random: Random): number {
  if (shape < 1) return gamma(shape + 1, random) * random() ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const v = (1 + c * normal) ** 3;
    if (v > 0 && Math.log(1 - random()) < 0.5 * normal ** 2 + d - d * v + d * Math.log(v)) return d * v;
  }
}

function found(limit: number, rate: number, runs: number): string {
  const random = randomFrom(SEED);
  const until = (threshold: number): number[] =>
    Array.from({ length: runs }, () => {
      const counts = { events: 0, harms: 0 };
      for (;;) {
        counts.events += 1;
        if (random() >= rate) continue;
        counts.harms += 1;
        if (logE(counts, limit) >= threshold) return counts.events;
      }
    }).sort((a, b) => a - b);
  return [until(Math.log(1 / ALPHA)), until(Math.log(50 / ALPHA))]
    .map((all) => `${all[runs >> 1]} (${all[Math.floor(runs * 0.9)]})`)
    .join('   ');
}

function oneOfTwenty(runs: number): { only: Hits; others: Hits } {
  const random = randomFrom(SEED);
  const weights = allotAlpha({
    guardrails: sharesOf([{ metric: 'g', share: 1, action: 'rollback' }]),
    startingSegments: names,
  });
  const threshold = thresholdLogE(ALPHA, weightOf(weights, 'g', 's0'));
  let [only, others] = [0, 0];
  for (let run = 0; run < runs; run += 1) {
    const fired = names.map((_, n) => {
      const process = new Watched(0.02, threshold);
      for (let day = 0; day < DAYS; day += 1) {
        for (let event = 0; event < A_DAY; event += 1)
          if (process.add(random() < (n === 0 ? 0.1 : 0.01))) return true;
        process.nextDay(day);
      }
      return false;
    });
    const rest = fired.slice(1).some(Boolean);
    if (fired[0] && !rest) only += 1;
    if (rest) others += 1;
  }
  return { only: { hits: only, of: runs }, others: { hits: others, of: runs } };
}

function poolCap(runs: number, events: number): { pooled: Hits; capped: Hits; own: Hits } {
  const random = randomFrom(SEED);
  const [limit, bad] = [0.05, 0.15];
  const weights = allotAlpha({
    guardrails: sharesOf([{ metric: 'g', share: 1, action: 'rollback' }]),
    startingSegments: names,
  });
  const [own, pool] = [
    thresholdLogE(ALPHA, weightOf(weights, 'g', 's0')),
    thresholdLogE(ALPHA, weightOf(weights, 'g', POOLED_SEGMENT)),
  ];
  const hits = { pooled: 0, capped: 0, own: 0 };
  for (let run = 0; run < runs; run += 1) {
    const segments = names.map((segment, n) => {
      let harms = 0;
      for (let event = 0; event < events; event += 1) if (random() < (n < 4 ? bad : limit)) harms += 1;
      return { segment, limit, buckets: [{ day: 0, events, harms }] };
    });
    const { logE: capped, pooledLogE } = spreadOf(segments);
    if (pooledLogE >= pool) hits.pooled += 1;
    if (capped >= pool) hits.capped += 1;
    if (segments.some(({ buckets }) => restartLogE(buckets, limit) >= own)) hits.own += 1;
  }
  const of = (n: number): Hits => ({ hits: n, of: runs });
  return { pooled: of(hits.pooled), capped: of(hits.capped), own: of(hits.own) };
}
