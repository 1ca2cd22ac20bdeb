import { type Actor, requireRole } from '../actor.ts';
import type { Sql } from '../db/database.ts';
import { segmentNames } from '../domain/agent.ts';
import { type ArmsCompared, compareTasks } from '../domain/business/arms.ts';
import { type Control, controlsOf } from '../domain/business/controls.ts';
import { type BusinessCounts, inSegment } from '../domain/business/counts.ts';
import { type BusinessSet, businessSet } from '../domain/business/figures.ts';
import type { Reading } from '../domain/business/reading.ts';
import { durationMs } from '../domain/duration.ts';
import type { Period } from '../domain/period.ts';
import type { Rates } from '../domain/rates.ts';
import { foldCounts } from '../records/counters.ts';
import { manifestOf } from '../records/manifest.ts';
import { ratesOf } from '../records/rates.ts';
import type { Services } from '../services.ts';
import { beginOfQuarter } from './approval-counts.ts';
import { businessCounts } from './business-counts.ts';

/** Business figures of an agent over a period, by quarters of a day. */
export interface BusinessFigures {
  agent: string;
  from: Date;
  to: Date;
  /** What was asked from here on is too young to say that it stayed right, and is in none of these figures. */
  matureBefore: Date;
  dayMs: number;
  currency: string | null;
  whole: BusinessSet;
  segments: { segment: string; figures: BusinessSet }[];
  /** By tool: harm stopped beside friction. */
  controls: Control[];
  /** The only place where anything is caused by a release. */
  arms: ArmsCompared[];
  /** The equally long time before. What differs moved together with whatever else changed. */
  before: { from: Date; whole: BusinessSet };
}

export interface BusinessInput {
  agent: string;
  from: Date;
  to: Date;
  dayMs: number;
  /** As of when something is mature; default: the end of the period. */
  now?: Date;
}

/**
 * The business figures of a period, from counters alone: what it costs grows with days, segments and tools, not with what was
 * done. Whoever wants the last second in it adds up first (`foldCounts`). The same counters, rates and manifest give the same figures.
 * @throws AppError `unknown_agent`
 */
export async function businessFigures(
  db: Sql,
  { agent, from: asked, to, dayMs, now = to }: BusinessInput,
): Promise<BusinessFigures> {
  const manifest = await manifestOf(db, agent);
  const rates = await ratesOf(db, agent);
  const from = beginOfQuarter(asked, dayMs);
  const mature = new Date(now.getTime() - matureMs(manifest.metrics, dayMs));
  const matureBefore = beginOfQuarter(mature < to ? mature : to, dayMs);
  const end = matureBefore > from ? matureBefore : from;
  const earlier = beginOfQuarter(new Date(from.getTime() - (end.getTime() - from.getTime())), dayMs);
  const reading: Reading = { metrics: manifest.metrics, rates };
  const eras = erasOf(rates);
  const counts = await businessCounts(db, { agent, from, to: end }, eras);
  const past = await businessCounts(db, { agent, from: earlier, to: from }, eras);
  return {
    agent,
    from,
    to,
    matureBefore: end,
    dayMs,
    currency: rates?.currency ?? null,
    whole: businessSet(counts, reading),
    segments: segmentsIn(counts, segmentNames(manifest)).map((segment) => ({
      segment,
      figures: businessSet(inSegment(counts, segment), reading),
    })),
    controls: controlsOf(counts, reading),
    arms: compareTasks(counts.tasks),
    before: { from: earlier, whole: businessSet(past, reading) },
  };
}

/** As long as the slowest metric that counts corrections takes; a day where none does. */
function matureMs(
  metrics: Readonly<Record<string, { corrections: boolean; matureAfter: string }>>,
  dayMs: number,
): number {
  const all = Object.values(metrics).filter(({ corrections }) => corrections);
  if (all.length === 0) return dayMs;
  return Math.max(...all.map(({ matureAfter }) => durationMs(matureAfter, dayMs)));
}

const erasOf = (rates: Rates | undefined): Date[] => {
  const days = [...(rates?.rates ?? []), ...(rates?.work ?? [])].map(({ validFrom }) => validFrom);
  return [...new Set(days)].sort().map((day) => new Date(day));
};

/** In the order of the manifest; those that it no longer names come last. */
function segmentsIn({ writes, tasks, metrics }: BusinessCounts, known: readonly string[]): string[] {
  const found = new Set([...writes, ...tasks, ...metrics].map(({ segment }) => segment));
  const gone = [...found].filter((segment) => !known.includes(segment)).sort();
  return [...known.filter((segment) => found.has(segment)), ...gone];
}

/**
 * The same for whoever may read the agent, up to now.
 * @throws AppError `forbidden`, `unknown_agent`
 */
export async function readBusiness(
  { db, clock, dayMs }: Pick<Services, 'db' | 'clock' | 'dayMs'>,
  actor: Actor,
  { agent, since, until }: Period & { agent: string },
): Promise<BusinessFigures> {
  requireRole(actor, ['approver', 'release-manager', 'on-call', 'auditor'], agent);
  await foldCounts(db.sql, dayMs);
  return businessFigures(db.sql, { agent, from: since, to: until, dayMs, now: clock.now() });
}
