import type { OtlpSource } from './metric-source.ts';

/** One data point of OpenTelemetry metrics (opentelemetry.io/docs/specs/otel/metrics/data-model); times in nanoseconds. */
export interface OtlpPoint {
  /** The instrument. */
  name: string;
  /** What tells its series from every other. */
  series: string;
  /** Of the point, and of its resource. */
  attributes: Readonly<Record<string, string>>;
  temporality: 'delta' | 'cumulative' | 'none';
  start: bigint;
  time: bigint;
  value: OtlpValue;
}

export type OtlpValue =
  | { kind: 'counter'; total: number }
  | { kind: 'histogram'; count: number; bounds: readonly number[]; buckets: readonly number[] }
  | { kind: 'other'; what: string };

/** What is known of a series: the last point that counted. Totals of what it counts, where it is cumulative. */
export interface OtlpSeries {
  start: bigint;
  time: bigint;
  events: number;
  harms: number;
}

/** What a point says of a metric, as totals: of a counter one of both. */
export interface OtlpTotals {
  events: number;
  harms: number;
}

const NS_PER_MS = 1_000_000n;
const MINUTE_NS = 60_000n * NS_PER_MS;
/** Clocks differ, and exporters send in batches. */
const AHEAD_NS = 5n * MINUTE_NS;
const LATE_NS = 24n * 60n * MINUTE_NS;
/** A series that is new here and began so lately is counted from its beginning. */
const NEW_NS = 10n * MINUTE_NS;

/** What a point says of a metric; or why it says nothing. */
export function totalsOf(
  point: OtlpPoint,
  { events, harms, above }: OtlpSource,
): OtlpTotals | { problem: string } {
  const { name, value } = point;
  if (value.kind === 'other') return { problem: `${name} is ${value.what}` };
  if (point.temporality === 'none')
    return { problem: `${name} does not say whether it is delta or cumulative` };
  if (value.kind === 'counter') {
    const { total } = value;
    if (!(total >= 0 && Number.isFinite(total)))
      return { problem: `${name} says ${total}, which is no count` };
    if (name === events && above !== undefined)
      return { problem: `${name} is a counter: "above" is of a histogram` };
    return { events: name === events ? total : 0, harms: name === harms ? total : 0 };
  }
  return name === events
    ? histogramTotals(name, value, above)
    : { problem: `${name} is a histogram: of harms it says nothing` };
}

function histogramTotals(
  name: string,
  { count, bounds, buckets }: Extract<OtlpValue, { kind: 'histogram' }>,
  above: number | undefined,
): OtlpTotals | { problem: string } {
  if (above === undefined) return { events: count, harms: 0 };
  // Bucket i is what is above bound i-1 and not above bound i; the last one has no upper bound.
  const at = bounds.indexOf(above);
  if (at < 0 || buckets.length !== bounds.length + 1)
    return {
      problem: `${name} has no bucket that ends at ${above}: its bounds are ${bounds.join(', ') || 'none'}`,
    };
  return { events: count, harms: buckets.slice(at + 1).reduce((sum, one) => sum + one, 0) };
}

/** What a point adds, and what is known of its series then; nothing where it was counted before, or came too late or too early. */
export type Advanced = { series: OtlpSeries; added: OtlpTotals } | { repeated: true } | { problem: string };

/**
 * Goes on by one point. One that is sent again, and one older than what was counted, adds nothing; a counter that began anew
 * adds what it has since then (data model, "Resets and gaps"). Of a cumulative series that is new here and older than ten
 * minutes the first point is only where counting begins.
 */
export function advance(
  known: OtlpSeries | undefined,
  { name, temporality, start, time }: OtlpPoint,
  totals: OtlpTotals,
  nowMs: number,
): Advanced {
  const now = BigInt(nowMs) * NS_PER_MS;
  if (time > now + AHEAD_NS) return { problem: `${name} is of ${isoOf(time)}, which is ahead of this clock` };
  if (time < now - LATE_NS) return { problem: `${name} is of ${isoOf(time)}: more than a day late` };
  if (known && time <= known.time) return { repeated: true };
  if (temporality === 'delta') return { series: { start, time, events: 0, harms: 0 }, added: totals };
  const series = { start, time, ...totals };
  if (known === undefined)
    return { series, added: time - start <= NEW_NS ? totals : { events: 0, harms: 0 } };
  const isReset = start > known.start || totals.events < known.events || totals.harms < known.harms;
  const added = isReset
    ? totals
    : { events: totals.events - known.events, harms: totals.harms - known.harms };
  return { series, added };
}

const isoOf = (time: bigint): string => new Date(Number(time / NS_PER_MS)).toISOString();
