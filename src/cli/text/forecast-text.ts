import { controlIn, type ForecastGuardrail, type Reach } from '../../domain/evidence/forecast.ts';
import type { ForecastBaseline } from '../../domain/evidence/forecast-baseline.ts';
import { levelOf, type Noticed } from '../../domain/evidence/forecast-play.ts';
import { TOP_TIMES, topOf } from '../../domain/evidence/forecast-values.ts';
import { groupBy } from '../../domain/group-by.ts';
import { formatNumber, formatTime } from './format.ts';
import { bullets, paragraph, sections, table } from './render.ts';

/** What is to be expected of a rollout before it starts. */
export interface ForecastShown {
  agent: string;
  release: string;
  alpha: number;
  /** Of exposure, after the baseline. */
  days: number;
  traffic: { segment: string; metric: string; subjectsADay: number }[];
  /** Null: given by whoever asks. */
  recorded: { since: string; days: number } | null;
  /** What is judged, and what goes with it. */
  guardrails: readonly ForecastGuardrail[];
  reach: Reach[];
  noticed: Noticed[];
  healthyStopped: { atMost: number; atTheLimit: number; atHalfOfIt: number };
  /** The guardrails of which nothing can be forecast. */
  notPlayed: { metric: string; because: string }[];
  runs: number;
  seed: number;
}

export function forecastText(shown: ForecastShown, width: number): string {
  const { agent, release, days, recorded, runs, seed } = shown;
  const source =
    recorded === null
      ? 'Traffic as given.'
      : `Traffic as recorded since ${formatTime(recorded.since)} (${formatNumber(recorded.days)} days).`;
  return sections(
    paragraph(
      `Release ${release} of ${agent}: ${days} days of exposure after the baseline. ${source}`,
      width,
    ),
    reachText(shown, width),
    noticedText(shown, width),
    stoppedText(shown, width),
    playedText(shown, width),
    supposedText(shown, width),
    shown.notPlayed.length === 0
      ? undefined
      : paragraph(
          `Not played: ${shown.notPlayed.map(({ metric, because }) => `${metric} (${because})`).join(', ')}.`,
          width,
        ),
    paragraph(`Played ${runs} times a question, seed ${seed}.`, width),
  );
}

function reachText({ reach, traffic }: ForecastShown, width: number): string {
  if (reach.length === 0) return 'No guardrail that acts: nothing would ever take it back.';
  const rows = reach.map((one, at) => [
    one.segment,
    one.metric,
    formatNumber(traffic[at]?.subjectsADay ?? 0),
    one.needed === null ? 'never' : `${one.needed} (${one.neededAtHalf})`,
    one.expected === null ? '-' : String(Math.floor(one.expected)),
    one.okOnDay === null ? 'never' : String(one.okOnDay),
  ]);
  const head = ['segment', 'metric', 'a day', 'for ok', 'in time', 'ok on day'];
  const thin = reach.filter(({ tooThin }) => tooThin).map(thinText);
  return sections(
    `${paragraph('Until a segment is ok (its events, if none is harmful or comes to anything, in brackets at half of the limit; ripe by the gate that needs it)', width)}\n${table(head, rows, width)}`,
    thin.length === 0 ? undefined : `Too thin in the time planned\n${bullets(thin, width)}`,
  );
}

function thinText({ segment, metric, limit, exposureNeeded, needed, expected }: Reach): string {
  const what = `${segment} ${metric}`;
  if (limit === null)
    return `${what}: its baseline would be too thin for a limit, so nothing is taken back by it and it is never ok: give the baseline more days, or the guardrail a limit of its own`;
  if (expected === null) return `${what}: never ok in that time, and no gate waits for it`;
  if (exposureNeeded === null) return `${what}: nothing comes while it is exposed, ${needed} are needed`;
  if (exposureNeeded <= 1)
    return `${what}: expose ${Math.ceil(exposureNeeded * 100)} % of it on the same days`;
  return `${what}: all of it would take ${formatNumber(exposureNeeded)} times as many days; merge it with another segment, or set verdicts: no-breach in its gate`;
}

function noticedText({ noticed, guardrails }: ForecastShown, width: number): string | undefined {
  if (noticed.length === 0) return undefined;
  const several = guardrails.some(
    ({ metric, perDay, control }) => (perDay ?? control) && noticed.some((one) => one.metric === metric),
  );
  const rows = noticed.map((one) => [
    one.segment,
    one.metric,
    `${formatNumber(levelOf(one))}${'mean' in one ? ' mean' : ''}`,
    `${Math.floor(one.share * 100)} %`,
    one.days === null ? '-' : `${one.days.p50} (${one.days.p90})`,
    one.events === null ? '-' : `${one.events.p50} (${one.events.p90})`,
    ...(several ? [byText(one)] : []),
  ]);
  const head = ['segment', 'metric', 'rate', 'noticed', 'days', 'events', ...(several ? ['first by'] : [])];
  return `Harm, and when it is taken back (half of the runs; in brackets nine of ten)\n${table(head, rows, width)}`;
}

/** Which process was first; what was first in fewer than a tenth of the runs goes without saying. */
function byText({ by, share }: Noticed): string {
  const first = PROCESSES.flatMap((process) => {
    const part = by[process] ?? 0;
    if (part === 0 || part < share * SELDOM) return [];
    return part > share * (1 - SELDOM)
      ? PROCESS_WORD[process]
      : `${PROCESS_WORD[process]} ${Math.round(part * 100)} %`;
  });
  return first.length > 0 ? first.join(', ') : '-';
}

const SELDOM = 0.1;
const PROCESSES = ['rate', 'count', 'control'] as const;
const PROCESS_WORD = { rate: 'limit', count: 'per day', control: 'control' } as const;

function stoppedText({ healthyStopped, runs }: ForecastShown, width: number): string {
  const { atMost, atTheLimit, atHalfOfIt } = healthyStopped;
  const of = (share: number): string => `${Math.round(share * runs)} of ${runs} runs`;
  return paragraph(
    `A healthy release is stopped by mistake in at most ${formatNumber(atMost * 100)} % of rollouts, whatever the traffic: here in ${of(atTheLimit)} with every segment exactly at its limit, in ${of(atHalfOfIt)} with every segment at half of it.`,
    width,
  );
}

/** Which guardrails are played by a limit that is known, and which by one that is supposed. */
function playedText({ guardrails }: ForecastShown, width: number): string | undefined {
  const names = (comes: boolean) =>
    guardrails.flatMap(({ metric, limit }) => ((limit === null) === comes ? metric : [])).join(', ');
  if (names(true) === '') return undefined;
  return paragraph(
    `Played by a limit of their own: ${names(false) || 'none'}. By one that comes with the baseline: ${names(true)}.`,
    width,
  );
}

/** What is not known before the start, and was supposed. */
function supposedText({ guardrails, noticed }: ForecastShown, width: number): string | undefined {
  const played = guardrails.filter(
    ({ metric, reportsOnly }) => !reportsOnly || noticed.some((one) => one.metric === metric),
  );
  const lines = played.flatMap((guardrail) => [
    ...baselineText(guardrail),
    ...valuesText(guardrail),
    ...perDayText(guardrail),
    ...controlText(guardrail, noticed),
  ]);
  return lines.length === 0 ? undefined : `Supposed\n${bullets(lines, width)}`;
}

/** By what a limit is played that comes with the baseline. */
function baselineText({ metric, baseline }: ForecastGuardrail): string[] {
  const segments = Object.entries(baseline ?? {});
  if (segments.length === 0) return [];
  const told = groupBy(segments, ([, { limit, level, events, ...said }]) => {
    const makes = limit === null ? 'no limit' : `a limit of ${formatNumber(limit)}`;
    return `${makes} (${events} ripe events, ${formatNumber(level)} ${byWhom(said)})`;
  });
  const each = [...told].map(([what, own]) => `${own.map(([segment]) => segment).join(', ')}: ${what}`);
  return [
    `${metric}: its limit comes with the baseline, played as one with this traffic would lock it. ${each.join('; ')}`,
  ];
}

const byWhom = ({ by, rollout }: Pick<ForecastBaseline, 'by' | 'rollout'>): string => {
  if (by === 'recorded') return `as ${rollout} recorded`;
  return by === 'given' ? 'as given' : 'because nothing is recorded: say --baseline';
};

function valuesText({ metric, values, limit }: ForecastGuardrail): string[] {
  if (values === undefined) return [];
  const { kind, cap } = values;
  // Whatever has no limit of its own has a cap.
  const top = formatNumber(topOf(values, limit ?? 0, limit ?? 0));
  const most = cap === undefined ? `${top}, ${TOP_TIMES} times its limit` : `its cap of ${top}`;
  const what =
    kind === 'sum'
      ? `each subject-day comes to 0 or ${most}`
      : `each write spends nothing and does all that can be done, or spends ${most} and does nothing`;
  const because =
    cap === undefined
      ? 'without a cap nothing says how large a value can be, so harm in few large ones is noticed later'
      : kind === 'sum'
        ? 'of all values with the same mean these tell least'
        : 'the two ends of what it weighs';
  return [`${metric} (${kind}): ${what}; ${because}`];
}

function perDayText({ metric, perDay }: ForecastGuardrail): string[] {
  const figures = Object.entries(perDay ?? {});
  if (figures.length === 0) return [];
  const told = figures.map(([segment, figure]) => `${formatNumber(figure)} in ${segment}`);
  return [
    `${metric} per day: at most ${told.join(', ')} when all of it is exposed, as declared or as a baseline with this traffic would measure`,
  ];
}

function controlText(guardrail: ForecastGuardrail, noticed: readonly Noticed[]): string[] {
  const { metric, control } = guardrail;
  const own = noticed.filter((one) => one.metric === metric);
  if (control === undefined || own.length === 0) return [];
  const figures = own.map((one) => one.control ?? controlIn(guardrail, one.segment));
  const levels = [...new Set(figures)].map(formatNumber).join(' or ');
  return [`${metric} control: the release in force does ${levels}, and each subject-day is another subject`];
}
