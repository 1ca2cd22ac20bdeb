/** What writes came to, added up; each is counted under the time it was asked (src/db/functions/business.sql). */
export interface WriteCounts {
  asked: number;
  executed: number;
  failed: number;
  unknown: number;
  /** Denied by people, and not called right since. */
  refused: number;
  /** Denied by policy, and not called right since. */
  denied: number;
  edited: number;
  expired: number;
  ended: number;
  /** Ran and were called wrong. */
  corrected: number;
  /** Of those, without anybody's word before. */
  correctedUnasked: number;
  /** Stopped and called right. */
  overBlocked: number;
  /** Writes that waited for people, and how long all of them together. */
  waited: number;
  waitedMs: number;
  /** Writes that began, and how long after they were asked. */
  begun: number;
  begunMs: number;
  /** Answers of people, from shown to answered (each capped), and those of them whose time is not known. */
  answers: number;
  answersMs: number;
  untimed: number;
}

/** Tasks by where their first write was asked. A task is all that one subject asked to write. */
export interface TaskCounts {
  started: number;
  open: number;
  /** A write ran, and none is open, unknown or handed to people. */
  done: number;
  /** Done, and no write of it was called wrong. */
  right: number;
  handed: number;
}

/** Reported outcomes of a metric: how many, how many harmful, and what they weigh together. */
export interface MetricCounts {
  n: number;
  harms: number;
  total: number;
}

/** Where something is counted. `era` is the time for which one set of rates holds, by its first moment. */
interface Counted {
  segment: string;
  era: Date;
}
export interface CountedWrites extends WriteCounts, Counted {
  tool: string;
}
export interface CountedMetric extends MetricCounts, Counted {
  metric: string;
}

/** A quarter of a day of one arm of a segment: what arms are compared by. */
export interface CountedTasks extends TaskCounts {
  segment: string;
  arm: 'control' | 'candidate';
  release: string;
  period: Date;
}

/** All that business figures are made of. */
export interface BusinessCounts {
  writes: readonly CountedWrites[];
  tasks: readonly CountedTasks[];
  metrics: readonly CountedMetric[];
}

const NO_WRITES: WriteCounts = {
  asked: 0,
  executed: 0,
  failed: 0,
  unknown: 0,
  refused: 0,
  denied: 0,
  edited: 0,
  expired: 0,
  ended: 0,
  corrected: 0,
  correctedUnasked: 0,
  overBlocked: 0,
  waited: 0,
  waitedMs: 0,
  begun: 0,
  begunMs: 0,
  answers: 0,
  answersMs: 0,
  untimed: 0,
};
const NO_TASKS: TaskCounts = { started: 0, open: 0, done: 0, right: 0, handed: 0 };
const NO_METRIC: MetricCounts = { n: 0, harms: 0, total: 0 };

function added<T extends object>(none: T, all: readonly T[]): T {
  const sum = { ...none } as Record<string, number>;
  for (const one of all as readonly Record<string, number>[])
    for (const key of Object.keys(none)) sum[key] = (sum[key] ?? 0) + (one[key] ?? 0);
  return sum as T;
}

export const writesOf = (all: readonly WriteCounts[]): WriteCounts => added(NO_WRITES, all);
export const tasksOf = (all: readonly TaskCounts[]): TaskCounts => added(NO_TASKS, all);
export const metricOf = (all: readonly MetricCounts[]): MetricCounts => added(NO_METRIC, all);

/** The same of one segment alone. */
export const inSegment = ({ writes, tasks, metrics }: BusinessCounts, segment: string): BusinessCounts => ({
  writes: writes.filter((one) => one.segment === segment),
  tasks: tasks.filter((one) => one.segment === segment),
  metrics: metrics.filter((one) => one.segment === segment),
});
