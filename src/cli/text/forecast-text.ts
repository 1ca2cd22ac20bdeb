import type { Noticed, Reach } from '../../domain/evidence/forecast.ts';
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
    String(one.needed),
    one.expected === null ? '-' : String(Math.floor(one.expected)),
    one.okOnDay === null ? 'never' : String(one.okOnDay),
  ]);
  const head = ['segment', 'metric', 'a day', 'for ok', 'in time', 'ok on day'];
  const thin = reach.filter(({ tooThin }) => tooThin).map(thinText);
  return sections(
    `Until a segment is ok (its harmless events, ripe by the gate that needs it)\n${table(head, rows, width)}`,
    thin.length === 0 ? undefined : `Too thin in the time planned\n${bullets(thin, width)}`,
  );
}

function thinText({ segment, metric, exposureNeeded, needed }: Reach): string {
  const what = `${segment} ${metric}`;
  if (exposureNeeded === null) return `${what}: nothing comes while it is exposed, ${needed} are needed`;
  if (exposureNeeded <= 1)
    return `${what}: expose ${Math.ceil(exposureNeeded * 100)} % of it on the same days`;
  return `${what}: all of it would take ${formatNumber(exposureNeeded)} times as many days; merge it with another segment, or set verdicts: no-breach in its gate`;
}

function noticedText({ noticed }: ForecastShown, width: number): string | undefined {
  if (noticed.length === 0) return undefined;
  const rows = noticed.map(({ segment, metric, rate, share, days, events }) => [
    segment,
    metric,
    formatNumber(rate),
    `${Math.floor(share * 100)} %`,
    days === null ? '-' : `${days.p50} (${days.p90})`,
    events === null ? '-' : `${events.p50} (${events.p90})`,
  ]);
  const head = ['segment', 'metric', 'rate', 'noticed', 'days', 'events'];
  return `Harm, and when it is taken back (half of the runs; in brackets nine of ten)\n${table(head, rows, width)}`;
}

function stoppedText({ healthyStopped, runs }: ForecastShown, width: number): string {
  const { atMost, atTheLimit, atHalfOfIt } = healthyStopped;
  const of = (share: number): string => `${Math.round(share * runs)} of ${runs} runs`;
  return paragraph(
    `A healthy release is stopped by mistake in at most ${formatNumber(atMost * 100)} % of rollouts, whatever the traffic: here in ${of(atTheLimit)} with every segment exactly at its limit, in ${of(atHalfOfIt)} with every segment at half of it.`,
    width,
  );
}
