import type { Metric } from '../../../../src/domain/agent.ts';
import { metricSchema } from '../../../../src/domain/agent.ts';
import type {
  BusinessCounts,
  CountedMetric,
  CountedTasks,
  CountedWrites,
} from '../../../../src/domain/business/counts.ts';
import { writesOf } from '../../../../src/domain/business/counts.ts';
import type { Rates } from '../../../../src/domain/rates.ts';

export const ERA = new Date('2026-01-01T00:00:00Z');

export const writes = (more: Partial<CountedWrites>): CountedWrites => ({
  ...writesOf([]),
  segment: 'gold',
  tool: 'cancel',
  era: ERA,
  ...more,
});
export const tasks = (more: Partial<CountedTasks>): CountedTasks => ({
  segment: 'gold',
  arm: 'control',
  release: '1',
  period: ERA,
  started: 0,
  open: 0,
  done: 0,
  right: 0,
  handed: 0,
  ...more,
});
export const reported = (metric: string, more: Partial<CountedMetric>): CountedMetric => ({
  segment: 'gold',
  metric,
  era: ERA,
  n: 0,
  harms: 0,
  total: 0,
  ...more,
});
export const metric = (more: Partial<Metric>): Metric =>
  metricSchema.parse({ unit: 'conversation', business: 'b', ...more });

export const METRICS: Readonly<Record<string, Metric>> = {
  'wrong-cancellation': metric({ tool: 'cancel', corrections: true, decidedBy: 'policy' }),
  tokens: metric({ kind: 'sum', measures: 'model-cost' }),
  calls: metric({ kind: 'sum', measures: 'tool-cost' }),
  turns: metric({ kind: 'sum', measures: 'turns' }),
  'handed-over': metric({ measures: 'hand-over' }),
};

export const RATES: Rates = {
  agent: 'desk',
  currency: 'USD',
  owner: 'olga',
  rates: [
    { metric: 'wrong-cancellation', amount: 60, validFrom: '2025-01-01', reason: 'two calls' },
    { metric: 'tokens', amount: 0.5, validFrom: '2025-01-01', reason: 'price list' },
    { metric: 'calls', amount: 0.1, validFrom: '2025-01-01', reason: 'price list' },
  ],
  work: [{ perMinute: 1, correction: 12, handOver: 8, validFrom: '2025-01-01', reason: 'payroll' }],
};

/** 40 tasks of gold: 30 done, 28 right; 5 were handed over, 5 are open. */
export const COUNTS: BusinessCounts = {
  writes: [
    writes({
      asked: 60,
      executed: 50,
      failed: 2,
      refused: 4,
      denied: 3,
      corrected: 2,
      correctedUnasked: 1,
      overBlocked: 1,
      waited: 30,
      waitedMs: 30 * 120_000,
      begun: 52,
      begunMs: 52 * 90_000,
      answers: 30,
      answersMs: 30 * 60_000,
    }),
  ],
  tasks: [tasks({ started: 40, open: 5, done: 30, right: 28, handed: 5 })],
  metrics: [
    reported('tokens', { n: 40, total: 100 }),
    reported('calls', { n: 40, total: 280 }),
    reported('turns', { n: 40, total: 280 }),
    reported('handed-over', { n: 40, harms: 5, total: 5 }),
  ],
};
