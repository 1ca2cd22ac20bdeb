import type { Random } from '../src/domain/evidence/forecast.ts';

export const RATE = 0.02;
export const [MARGIN, BASELINE_EVENTS] = [0.5, 1_000];
/** The control arm does `RATE`, the candidate so many times as much. */
export const RATIO = 1.5;
/** A cost of at most 10 of which the mean is 1: one in ten is large, the others are small. */
export const COSTS = { large: [1, 3, 5, 7, 9], small: [0, 0.25, 0.5, 0.75, 1, 5 / 6], large_part: 0.1 };
export const COST_LIMIT = 0.1 * 5 + (0.9 * (2.5 + 5 / 6)) / 6;
/** Seconds of a call are log-normal; its p95 is one in twenty above e^1.6449. */
const [P95, P95_SECONDS] = [0.05, Math.exp(1.644853627)];

export type Kind = 'rate' | 'count' | 'baseline' | 'control' | 'sum' | 'p95';
export const KINDS: readonly Kind[] = ['rate', 'count', 'baseline', 'control', 'sum', 'p95'];

/** What is drawn, and what the mean of it is; whether it is a harm or a value of its own. */
export interface Source {
  mean: number;
  next(random: Random): number;
}

const harm = (rate: number): Source => ({ mean: rate, next: (random) => (random() < rate ? 1 : 0) });
const pick = (values: readonly number[], random: Random): number =>
  values[Math.floor(random() * values.length)] ?? 0;

export const SOURCES: Readonly<Record<Kind, Source>> = {
  rate: harm(RATE),
  count: harm(RATE),
  baseline: harm(RATE * (1 + MARGIN)),
  control: harm(RATE * RATIO),
  sum: {
    mean: COST_LIMIT,
    next: (random) => pick(random() < COSTS.large_part ? COSTS.large : COSTS.small, random),
  },
  p95: {
    mean: P95,
    next: (random) => {
      const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
      return Math.exp(normal) > P95_SECONDS ? 1 : 0;
    },
  },
};
