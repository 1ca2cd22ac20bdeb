import { z } from 'zod';
import { canonical } from '../digest.ts';
import type { Judged, JudgedFacts, SumFacts } from './facts.ts';
import { judgeFacts } from './judge-facts.ts';

/** A figure as the log holds it: integers as they are, all else as the shortest text that reads back as the same number. */
const figure = z
  .union([z.number(), z.string().regex(/^-?(\d+(\.\d+)?(e[+-]?\d+)?|Infinity)$/)])
  .transform(Number);
const whole = z.int();

const countSchema = z.object({
  perDay: z.record(z.string(), figure),
  exposed: z.array(z.object({ segment: z.string(), fromDay: whole, toDay: whole, exposure: whole })),
  harms: z.array(z.object({ segment: z.string(), day: whole, harms: whole })),
  weight: figure,
  firedBefore: z.boolean(),
});

/** One day of one build in one segment. */
const dayShape = { segment: z.string(), build: z.string(), day: whole, events: whole, known: whole };
const fixedPoint = z.string().regex(/^-?\d+$/);
const sumsSchema = z.object({
  cap: figure.optional(),
  perMax: figure.optional(),
  buckets: z.array(
    z.object({
      ...dayShape,
      total: fixedPoint,
      logs: z.array(fixedPoint),
      safety: z.array(fixedPoint),
      over: whole,
      per: fixedPoint.optional(),
    }),
  ),
});

const armSchema = z.object({ subjects: whole, harms: whole, known: whole });
const controlSchema = z.object({
  ratio: figure,
  strata: z.array(z.object({ exposure: whole, treated: armSchema, control: armSchema })),
  weight: figure,
  firedBefore: z.boolean(),
  anew: whole.optional(),
});

const armTotalSchema = z.object({ subjects: whole, known: whole, total: fixedPoint });
const differenceSchema = z.object({
  more: figure,
  logs: z.array(fixedPoint),
  treated: armTotalSchema,
  control: armTotalSchema,
  over: whole,
  weight: figure,
  firedBefore: z.boolean(),
  anew: whole.optional(),
});

const factsSchema = z.object({
  kind: z.enum(['rate', 'pooled']),
  limit: figure,
  limits: z.record(z.string(), figure).optional(),
  baselineThin: z.boolean().optional(),
  sourceDown: z.string().optional(),
  alpha: figure,
  weight: figure,
  minSample: whole,
  breachedBefore: z.boolean(),
  matureBefore: whole,
  provesFrom: whole.optional(),
  builds: z.array(z.string()),
  buckets: z.array(z.object({ ...dayShape, harms: whole })),
  sums: sumsSchema.optional(),
  count: countSchema.optional(),
  control: controlSchema.optional(),
  difference: differenceSchema.optional(),
});

/** A part of a verdict that is not what the same facts give. */
export interface Difference {
  field: string;
  recorded: unknown;
  recomputed: unknown;
}

/** A verdict of the log, judged again by the facts in its entry and nothing else. */
export interface Recomputed {
  facts: JudgedFacts;
  judged: Judged;
  /** Empty: the same, bit for bit. */
  differences: Difference[];
}

/**
 * Judges the verdict of a log entry again, and says what comes out otherwise. `undefined`: the entry does not hold what a
 * judgement rests on.
 */
export function recompute(data: Readonly<Record<string, unknown>>): Recomputed | undefined {
  const read = factsSchema.safeParse(data);
  if (!read.success) return undefined;
  const { count, control, difference, sums, limits, baselineThin, sourceDown, provesFrom, ...rest } =
    read.data;
  const facts: JudgedFacts = {
    ...rest,
    ...(limits && { limits }),
    ...(baselineThin !== undefined && { baselineThin }),
    ...(sourceDown !== undefined && { sourceDown }),
    ...(provesFrom !== undefined && { provesFrom }),
    ...(sums && { sums: sumsOf(sums) }),
    ...(count && { count }),
    ...(control && { control }),
    ...(difference && { difference }),
  };
  const judged = judgeFacts(facts);
  return { facts, judged, differences: differencesOf(data, { ...judged }, '') };
}

const sumsOf = ({ buckets, cap, perMax }: z.infer<typeof sumsSchema>): SumFacts => ({
  buckets,
  ...(cap !== undefined && { cap }),
  ...(perMax !== undefined && { perMax }),
});

/** The companions, whose parts are told one by one. */
const NESTED: ReadonlySet<string> = new Set(['count', 'control', 'difference']);

function differencesOf(
  recorded: Readonly<Record<string, unknown>>,
  judged: Readonly<Record<string, unknown>>,
  path: string,
): Difference[] {
  return Object.entries(judged).flatMap(([name, recomputed]) => {
    const before = recorded[name];
    if (NESTED.has(name) && isObject(before) && isObject(recomputed))
      return differencesOf(before, recomputed, `${path}${name}.`);
    if (canonical(asNumbers(before)) === canonical(asNumbers(recomputed))) return [];
    return { field: path + name, recorded: before ?? null, recomputed: recomputed ?? null };
  });
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Figures that are written as text, as the text that they are written as. */
function asNumbers(value: unknown): unknown {
  if (typeof value === 'number') return String(value);
  if (Array.isArray(value)) return value.map(asNumbers);
  if (!isObject(value)) return value ?? null;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, asNumbers(member)]));
}
