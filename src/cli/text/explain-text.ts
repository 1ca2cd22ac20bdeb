import { besideText } from '../../domain/evidence/beside.ts';
import type { Judged, JudgedFacts, KnownBucket, SumFacts } from '../../domain/evidence/facts.ts';
import type { Difference } from '../../domain/evidence/recorded.ts';
import { fromFixed } from '../../domain/evidence/sum-process.ts';
import { formatNumber, formatTime } from './format.ts';
import { bullets, command, fields, paragraph, sections, table } from './render.ts';

/** One verdict of the log as it was recorded. */
interface ListedVerdict {
  entry: number;
  at: string;
  segment?: unknown;
  metric?: unknown;
  before?: unknown;
  verdict?: unknown;
  events?: unknown;
  harms?: unknown;
  eValue?: unknown;
}

/** The verdicts of a rollout as they changed. */
export function verdictsText(rollout: string, verdicts: readonly ListedVerdict[], width: number): string {
  if (verdicts.length === 0)
    return `No verdict of rollout ${rollout} yet: the first comes with the first counted write or outcome.`;
  const rows = verdicts.map(({ entry, at, segment, metric, before, verdict, events, harms, eValue }) => [
    String(entry),
    formatTime(at),
    segment === '*' ? 'all' : String(segment),
    String(metric),
    `${typeof before === 'string' ? `${before} -> ` : ''}${verdict}`,
    String(events),
    harms === null ? '-' : String(harms),
    formatNumber(Number(eValue)),
  ]);
  return sections(
    table(['entry', 'at', 'segment', 'metric', 'verdict', 'events', 'harm', 'e-value'], rows, width),
    `Judge one again:\n${command(`portcullis rollout explain ${rollout} --verdict ${verdicts.at(-1)?.entry}`)}`,
  );
}

/** A verdict judged again. */
export interface Explained {
  entry: number;
  at: string;
  segment: string;
  metric: string;
  same: boolean;
  differences: readonly Difference[];
  facts: JudgedFacts;
  judged: Judged;
}

/** What a verdict rests on, what it comes to, and whether that is what was recorded. */
export function explainedText(explained: Explained, width: number): string {
  const { entry, at, segment, metric, facts, judged } = explained;
  return sections(
    paragraph(
      `Entry ${entry}, ${formatTime(at)}: ${metric} in ${segment === '*' ? 'all segments together' : segment} is ${judged.verdict}`,
      width,
    ),
    fields(
      [
        ['Against', `a limit of ${formatNumber(facts.limit)}`],
        [
          facts.sums === undefined ? 'Rate' : facts.sums.perMax === undefined ? 'Mean' : 'Ratio',
          meanText(facts, judged),
        ],
        ['Trigger', triggerText(judged, facts)],
        ['A day', countText(judged)],
        ['Control', besideText(judged, formatNumber)],
        ['Silence', silenceText(judged)],
        ['Left out', judged.leftOut && `${judged.leftOut}: harm of one segment alone is its own process's`],
      ],
      width,
    ),
    facts.buckets.length > 0 ? `Counts by the day they began\n${daysText(facts.buckets, width)}` : undefined,
    facts.sums && `Sums by the day they began\n${sumsText(facts.sums, width)}`,
    comparedText(explained, width),
  );
}

function meanText({ matureBefore, sums }: JudgedFacts, judged: Judged): string {
  const { events, harms, estimate, lowerBoundReported: lower, upperBoundWithSilence: upper } = judged;
  const bounds =
    lower === null || upper === null
      ? ''
      : `; of days before ${matureBefore}: between ${formatNumber(lower)} and ${formatNumber(upper)}`;
  if (sums) return `${estimate === null ? 'nothing' : formatNumber(estimate)} over ${events} events`;
  return `${harms} of ${events}${estimate === null ? '' : ` = ${formatNumber(estimate)}`}${bounds}`;
}

const triggerText = ({ eValue, logE, thresholdLogE }: Judged, { alpha, weight }: JudgedFacts): string =>
  thresholdLogE === null
    ? `e-value ${formatNumber(eValue)} (log ${formatNumber(logE)}); it only reports`
    : `e-value ${formatNumber(eValue)} (log ${formatNumber(logE)}) of ${formatNumber(Math.exp(thresholdLogE))} = 1/(alpha ${formatNumber(alpha)} x weight ${formatNumber(weight)})`;

function countText({ count }: Judged): string | undefined {
  if (count === undefined) return undefined;
  const needed = count.thresholdLogE === null ? '' : ` of ${formatNumber(Math.exp(count.thresholdLogE))}`;
  return `${count.total} harms in a time that allows ${formatNumber(count.allowed)}: e-value ${formatNumber(count.eValue)}${needed}`;
}

const silenceText = ({ mature }: Judged): string | undefined =>
  mature === null || mature.events === mature.known
    ? undefined
    : `of ${mature.events} ripe events ${mature.events - mature.known} were never reported on`;

function daysText(buckets: readonly KnownBucket[], width: number): string {
  const rows = buckets.map(({ day, segment, build, events, harms, known }) => [
    String(day + 1),
    segment,
    build,
    String(events),
    String(harms),
    String(known),
  ]);
  return table(['day', 'segment', 'build', 'events', 'harm', 'reported'], rows, width);
}

const sumsText = ({ buckets }: SumFacts, width: number): string =>
  table(
    ['day', 'segment', 'build', 'events', 'total', 'reported'],
    buckets.map(({ day, segment, build, events, total, known }) => [
      String(day + 1),
      segment,
      build,
      String(events),
      formatNumber(fromFixed(BigInt(total))),
      String(known),
    ]),
    width,
  );

function comparedText({ same, differences }: Explained, width: number): string {
  if (same) return 'Judged again by this entry alone: the same, bit for bit.';
  const lines = differences.map(
    ({ field, recorded, recomputed }) =>
      `${field}: recorded ${JSON.stringify(recorded)}, comes to ${JSON.stringify(recomputed)}`,
  );
  return `DIFFERS from what was recorded\n${bullets(lines, width)}`;
}
