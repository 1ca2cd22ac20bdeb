import type { OtlpSource } from './metric-source.ts';

/** One data point of OpenTelemetry metrics (opentelemetry.io/docs/specs/otel/metrics/data-model); times in nanoseconds. */
export interface OtlpPoint {
  /** The instrument. */
  name: string;
  /** What tells its series, and its exporter, from every other: digests. */
  series: string;
  exporter: string;
  /** Of the point, and those of its resource, which all its points share. */
  attributes: Readonly<Record<string, string>>;
  resource: Readonly<Record<string, string>>;
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
const COUNT_MAX = 1e12;

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
    if (!isCount(total)) return { problem: `${name} says ${total}, which is no count` };
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
  const wrong = [count, ...buckets].find((one) => !isCount(one));
  if (wrong !== undefined) return { problem: `${name} says ${wrong}, which is no count` };
  if (above === undefined) return { events: count, harms: 0 };
  // Bucket i is what is above bound i-1 and not above bound i; the last one has no upper bound.
  const at = bounds.indexOf(above);
  if (at < 0 || buckets.length !== bounds.length + 1)
    return {
      problem: `${name} has no bucket that ends at ${above}: its bounds are ${bounds.join(', ') || 'none'}`,
    };
  const sumOf = (some: readonly number[]) => some.reduce((sum, one) => sum + one, 0);
  if (sumOf(buckets) !== count)
    return { problem: `${name} has a count of ${count} and ${sumOf(buckets)} in its buckets` };
  return { events: count, harms: sumOf(buckets.slice(at + 1)) };
}

const isCount = (value: number): boolean => value >= 0 && value <= COUNT_MAX;

/** What a point adds, and what is known of its series then; nothing where it was counted before, or came too late or too early. */
export type Advanced = { series: OtlpSeries; added: OtlpTotals } | { repeated: true } | { problem: string };

/** When a point is looked at, and whether its exporter was heard before it. */
export interface Hearing {
  nowMs: number;
  exporterKnown: boolean;
}

/**
 * Goes on by one point. One that is sent again, and one older than what was counted, adds nothing; a counter that began anew
 * adds what it has since then (data model, "Resets and gaps"). A cumulative series that is new here adds all it has if it began
 * within ten minutes, or if its exporter was heard before: most SDKs date every series from the start of the process. Else what
 * it had before anybody listened is no news, and counting begins with it. Two processes that send one series as theirs are
 * refused: their totals would be taken for resets again and again.
 */
export function advance(
  known: OtlpSeries | undefined,
  { name, temporality, start, time }: OtlpPoint,
  totals: OtlpTotals,
  { nowMs, exporterKnown }: Hearing,
): Advanced {
  const now = BigInt(nowMs) * NS_PER_MS;
  if (time > now + AHEAD_NS) return { problem: `${name} is of ${isoOf(time)}, which is ahead of this clock` };
  if (time < now - LATE_NS) return { problem: `${name} is of ${isoOf(time)}: more than a day late` };
  if (known && time <= known.time) return { repeated: true };
  if (known && (start < known.start || (temporality === 'delta' && start < known.time)))
    return { problem: `two processes send ${name} as one series: give each its own service.instance.id` };
  if (temporality === 'delta') return { series: { start, time, events: 0, harms: 0 }, added: totals };
  const series = { start, time, ...totals };
  if (known === undefined)
    return {
      series,
      added: exporterKnown || time - start <= NEW_NS ? totals : { events: 0, harms: 0 },
    };
  const isReset = start > known.start || totals.events < known.events || totals.harms < known.harms;
  const added = isReset
    ? totals
    : { events: totals.events - known.events, harms: totals.harms - known.harms };
  return { series, added };
}

const isoOf = (time: bigint): string => new Date(Number(time / NS_PER_MS)).toISOString();
