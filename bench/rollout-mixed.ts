import {
  allotAlpha,
  POOLED_SEGMENT,
  sharesOf,
  thresholdLogE,
  weightOf,
  withCompanions,
} from '../src/domain/evidence/alpha.ts';
import { BASELINE_PART, lockedLimit, weightLeft } from '../src/domain/evidence/baseline.ts';
import { judgeControl, type Stratum } from '../src/domain/evidence/control.ts';
import { countPrior, countRestartLogE, countRestartMost } from '../src/domain/evidence/count.ts';
import {
  BETS,
  betLogs,
  RESTART_START,
  restartAfter,
  restartStateLogE,
} from '../src/domain/evidence/eprocess.ts';
import { type Random, randomFrom } from '../src/domain/evidence/forecast.ts';
import { drawEvents } from '../src/domain/evidence/forecast-draw.ts';
import { countSpreadOf, spreadOf, sumSpreadOf } from '../src/domain/evidence/spread.ts';
import { addValue, EMPTY_SUM, fromFixed, toFixed } from '../src/domain/evidence/sum-process.ts';
import { type Rival, rivalsOf } from './rollout-rivals.ts';
import { BASELINE_EVENTS, COSTS, KINDS, type Kind, MARGIN, RATE, RATIO, SOURCES } from './rollout-sources.ts';

const SEED = 20_261_122;
const ALPHA = 0.05;
const DAYS = 90;
const A_DAY = 20;
const names = Array.from({ length: 20 }, (_, n) => `s${n}`);

/** Of whom is first seen from the first day on, and from the middle on; the candidate gets as many events in both. */
const EXPOSED = [2_500, 5_000] as const;
const WHOLE = 10_000;

const weights = allotAlpha({
  guardrails: sharesOf(KINDS.map((metric) => ({ metric, share: 1, action: 'rollback' as const }))),
  startingSegments: names,
});

/** The parts of alpha of the processes of a guardrail in a segment, as the judge divides them. */
const partsOf = (kind: Kind, segment: string) =>
  withCompanions(weightOf(weights, kind, segment), {
    counted: kind === 'count',
    compared: kind === 'control' && segment !== POOLED_SEGMENT,
  });

/** A restart mixture that is looked at after every event. */
class Stake {
  #past = RESTART_START;
  logs = BETS.map(() => 0);

  add(more: readonly number[]): void {
    for (let j = 0; j < this.logs.length; j += 1) this.logs[j] = (this.logs[j] ?? 0) + (more[j] ?? 0);
  }

  logE = (): number => restartStateLogE(restartAfter(this.#past, this.logs));

  /** The logs of the day that is over. */
  nextDay(): readonly number[] {
    const { logs } = this;
    this.#past = restartAfter(this.#past, logs);
    this.logs = BETS.map(() => 0);
    return logs;
  }
}

/** What one event adds to each bet, by its value. */
function weighing(kind: Kind, limit: number): (x: number) => readonly number[] {
  if (kind === 'sum') {
    const of = new Map(
      [...COSTS.large, ...COSTS.small].map((x) => [x, addValue(EMPTY_SUM, x, limit).logs.map(fromFixed)]),
    );
    return (x) => of.get(x) ?? [];
  }
  const [harmless, harmful] = [0, 1].map((harms) => betLogs({ events: 1, harms }, limit));
  return (x) => (x > 0 ? harmful : harmless) ?? [];
}

interface Day {
  day: number;
  time: number;
  events: number;
  harms: number;
  logs: readonly number[];
}

/** One guardrail in one segment. */
function lifeOf(kind: Kind, segment: string, random: Random) {
  const { mean } = SOURCES[kind];
  const parts = partsOf(kind, segment);
  let [own, pooled] = [mean, mean];
  if (kind === 'baseline') {
    const known = { events: BASELINE_EVENTS, known: BASELINE_EVENTS, harms: 0 };
    for (let n = 0; n < BASELINE_EVENTS; n += 1) if (random() < RATE) known.harms += 1;
    const part = (weight: number): number => ALPHA * weight * BASELINE_PART;
    // Without a limit nothing is taken back.
    own = lockedLimit(known, MARGIN, part(parts.rate)).limit ?? 1;
    pooled = lockedLimit(known, MARGIN, part(partsOf(kind, POOLED_SEGMENT).rate) / names.length).limit ?? 1;
  }
  const limit = kind === 'baseline' ? { baseline: { margin: MARGIN } } : own;
  return {
    segment,
    limit: pooled,
    stake: new Stake(),
    weigh: weighing(kind, own),
    weighPooled: weighing(kind, pooled),
    threshold: thresholdLogE(ALPHA, weightLeft(limit, parts.rate)),
    parts,
    days: [] as Day[],
    strata: EXPOSED.map((exposure) => ({
      exposure,
      treated: { subjects: 0, harms: 0, known: 0 },
      control: { subjects: 0, harms: 0, known: 0 },
    })),
  };
}

type Life = ReturnType<typeof lifeOf>;

/** Harms a day that are allowed, where they are counted. */
const PER_DAY = RATE * A_DAY;

const countFires = (days: readonly Day[], weight: number): boolean => {
  const threshold = thresholdLogE(ALPHA, weight);
  return (
    countRestartMost(days, PER_DAY) >= threshold &&
    countRestartLogE(days, PER_DAY, countPrior(PER_DAY)) >= threshold
  );
};

/** All segments under one guardrail. */
function pooledOf(kind: Kind, lives: readonly Life[]) {
  const parts = partsOf(kind, POOLED_SEGMENT);
  const limit = kind === 'baseline' ? { baseline: { margin: MARGIN } } : 0;
  const [rate, count] = [weightLeft(limit, parts.rate), parts.count].map((weight) =>
    thresholdLogE(ALPHA, weight),
  ) as [number, number];
  const stake = new Stake();
  const days: { day: number; time: number; harms: number }[] = [];
  // What is exact takes long to compute, and never lets fire what would not without it.
  const isSpread = (): boolean => {
    if (kind !== 'sum') return spreadOf(lives.map((life) => ({ ...life, buckets: life.days }))).logE >= rate;
    const fixed = (log: number): bigint => BigInt(Math.round(log * Number(toFixed(1))));
    return (
      sumSpreadOf(
        lives.map((life) => ({
          segment: life.segment,
          buckets: life.days.map(({ day, events, logs }) => ({
            day,
            events,
            total: 0n,
            logs: logs.map(fixed),
          })),
        })),
      ).logE >= rate
    );
  };
  return {
    stake,
    days,
    fires: (): boolean =>
      (stake.logE() >= rate && isSpread()) ||
      (kind === 'count' &&
        countRestartMost(days, 1) >= count &&
        countSpreadOf(lives.map((life) => ({ ...life, limit: PER_DAY }))).logE >= count),
  };
}

/** One guardrail in all segments, day by day; what goes on of it is looked at after every event that can raise E. */
function guardrailOf(kind: Kind, random: Random, rivals: readonly Rival[]) {
  const { mean, next } = SOURCES[kind];
  const lives = names.map((segment) => lifeOf(kind, segment, random));
  const pooled = pooledOf(kind, lives);
  const watching = lives.map(() => rivals.map((rival) => rival.watch(mean, kind === 'sum')));
  let fired = false;

  function event(life: Life, today: Day, rivalsHere: readonly ((x: number) => void)[] | undefined): void {
    const x = next(random);
    for (const see of rivalsHere ?? []) see(x);
    today.events += 1;
    life.stake.add(life.weigh(x));
    pooled.stake.add(life.weighPooled(x));
    if (x <= mean) return;
    today.harms += 1;
    const all = pooled.days.at(-1);
    if (all) all.harms += 1;
    fired ||= life.stake.logE() >= life.threshold || pooled.fires();
    if (kind === 'count') fired ||= countFires(life.days, life.parts.count);
  }

  /** The comparison takes in a day that is ripe, once. */
  function compare(life: Life, { day, events, harms }: Day): void {
    const stratum = life.strata[day < DAYS / 2 ? 0 : 1] as Stratum;
    const others = WHOLE / stratum.exposure - 1;
    const beside = drawEvents(A_DAY * others, RATE, random);
    add(stratum.treated, { events, harms });
    add(stratum.control, beside);
    const strata = life.strata.filter(({ treated, control }) => treated.subjects + control.subjects > 0);
    fired ||= judgeControl(ALPHA, {
      ratio: RATIO,
      strata,
      weight: life.parts.control,
      firedBefore: false,
    }).fired;
  }

  return (day: number): boolean => {
    pooled.days.push({ day, time: PER_DAY * lives.length, harms: 0 });
    const planned = lives.map((life) => {
      const today: Day = { day, time: 1, events: 0, harms: 0, logs: life.stake.logs };
      life.days.push(today);
      return { life, today, events: drawEvents(A_DAY, 0, random).events };
    });
    // The segments' events come in turn.
    for (let n = 0; planned.some(({ events }) => n < events); n += 1)
      for (const [s, { life, today, events }] of planned.entries())
        if (n < events) event(life, today, watching[s]);
    for (const { life, today } of planned) {
      life.stake.nextDay();
      if (kind === 'control') compare(life, today);
    }
    pooled.stake.nextDay();
    return fired;
  };
}

function add(
  arm: { subjects: number; harms: number; known: number },
  day: { events: number; harms: number },
) {
  arm.subjects += day.events;
  arm.known += day.events;
  arm.harms += day.harms;
}

/** Share of runs with its 95 % interval (Wilson's score). */
function shareOf(hits: number, of: number): string {
  const [p, z2] = [hits / of, 1.96 ** 2];
  const half = 1.96 * Math.sqrt((p * (1 - p)) / of + z2 / (4 * of * of));
  const [low, high] = [-1, 1].map((sign) => Math.max(0, (p + z2 / (2 * of) + sign * half) / (1 + z2 / of)));
  const percent = (value: number | undefined): string => `${((value ?? 0) * 100).toFixed(1)} %`;
  return `${percent(p)} (${percent(low)} to ${percent(high)})`;
}

/**
 * How often a healthy release is taken back in a whole rollout. Healthy: each guardrail has exactly what its limit lets pass, where
 * the chance of a false rollback is largest; what comes in is independent, Poisson, and assigned to an arm at random.
 */
export function benchMixed(say: (line?: string) => void, runs: number): void {
  say(
    `A healthy release taken back in ${DAYS} days, ${names.length} segments x ${KINDS.length} guardrails of mixed kinds`,
  );
  say(
    `(${KINDS.join(', ')}; each exactly at its limit, ${A_DAY} events a day in each; seed ${SEED}, ${runs} runs;`,
  );
  say('looked at after every event, the comparison with control once a day; 95 % intervals)');
  const random = randomFrom(SEED);
  const rivals = rivalsOf(ALPHA, names.length * KINDS.length);
  const by = new Map<Kind, number>(KINDS.map((kind) => [kind, 0]));
  let hits = 0;
  for (let run = 0; run < runs; run += 1) {
    for (const rival of rivals) rival.begin();
    let fired = false;
    for (const kind of KINDS) {
      const live = guardrailOf(kind, random, rivals);
      for (let day = 0; day < DAYS; day += 1) {
        if (!live(day)) continue;
        fired = true;
        by.set(kind, (by.get(kind) ?? 0) + 1);
        break;
      }
    }
    if (fired) hits += 1;
    for (const rival of rivals) rival.end();
  }
  const line = (what: string, value: string): void => say(`  ${what}`.padEnd(54) + value);
  line(`Portcullis, aim: at most ${ALPHA * 100} %`, shareOf(hits, runs));
  for (const kind of KINDS) line(`  by its guardrail of kind ${kind}`, shareOf(by.get(kind) ?? 0, runs));
  for (const { what, hits: other } of rivals) line(what, shareOf(other, runs));
}
