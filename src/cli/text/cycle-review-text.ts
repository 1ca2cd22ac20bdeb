import type { CycleFacts, WrittenReview } from '../../domain/review/cycle.ts';
import type { Calibration } from '../../domain/review/prediction.ts';
import { formatNumber } from './format.ts';
import { bullets, command, fields, paragraph, sections, table } from './render.ts';

export interface CycleReview {
  id: string;
  agent: string;
  rollout: string;
  release: string;
  ending: string;
  because: string;
  segments: string[];
  openedAt: string;
  dueAt: string;
  state: 'due' | 'awaiting_second' | 'written';
  facts?: CycleFacts;
  recommendation?: string;
  decision?: string;
  written?: WrittenReview;
  writtenBy?: string;
  secondedBy?: string;
  followUp?: string;
  prediction?: string;
  measured?: { value: number | null; events: number };
}

export interface CycleReviews {
  reviews: CycleReview[];
  calibration: Calibration[];
}

const STATES = {
  due: 'owed',
  awaiting_second: 'waits for a second person',
  written: 'written',
} as const;

/** Reviews of cycles, and how often each team was right. */
export function cycleListText({ reviews, calibration }: CycleReviews, width: number): string {
  if (reviews.length === 0) return 'No cycle has ended: nothing is to be reviewed.';
  const rows = reviews.map(({ id, agent, release, because, state, dueAt }) => [
    id,
    `${agent} release ${release}`,
    because,
    state === 'written' ? STATES[state] : `${STATES[state]}, due ${dueAt.slice(0, 10)}`,
  ]);
  const right = calibration.map(({ team, hit, miss, notMeasurable, open }) => [
    team,
    String(hit),
    String(miss),
    String(notMeasurable),
    String(open),
  ]);
  return sections(
    table(['review', 'of', 'ended by', 'state'], rows, width),
    right.length > 0
      ? `Predictions\n${table(['team', 'hit', 'miss', 'not measurable', 'open'], right, width)}`
      : undefined,
  );
}

/** One review: what changed, what was seen, what was written, what is still needed. */
export function cycleText(review: CycleReview): string {
  const { facts, written } = review;
  return sections(
    `Review ${review.id}: ${review.agent} release ${review.release}, ${review.because}`,
    fields([
      ['State', STATES[review.state]],
      ['Due', review.state === 'written' ? undefined : review.dueAt],
      ['Recommended', review.recommendation],
      ['Decided', review.decision],
      ['Written by', review.writtenBy],
      ['Second', review.secondedBy],
      ['Prediction', review.prediction],
    ]),
    facts && factsText(facts),
    written && writtenText(written),
    review.state === 'due'
      ? `Write it:\n${command(`portcullis reviews cycle write ${review.id} review.yaml`)}`
      : undefined,
    review.state === 'awaiting_second'
      ? `It goes against what the criteria recommend. Another person:\n${command(`portcullis reviews cycle second ${review.id} --reason "..."`)}`
      : undefined,
  );
}

function factsText(facts: CycleFacts): string {
  const changed = [
    ...facts.releaseDiff.map(({ sign, what, detail }) => `${sign} ${what}${detail ? `: ${detail}` : ''}`),
    ...facts.guardrails.map(({ sign, what }) => `${sign} guardrail ${what}`),
    ...facts.switches.map(({ scope, by, reason, at }) => `switch ${scope} at ${at} by ${by}: ${reason}`),
    ...(facts.builds.length > 0 ? [`builds ${facts.builds.join(', ')}`] : []),
  ];
  const seen = facts.verdicts.map(
    ({ segment, metric, verdict, events, harms }) =>
      `${metric} in ${segment}: ${verdict}, ${harms} harms of ${events}`,
  );
  const { cost, cases, incidents } = facts;
  const more = [
    cost === null
      ? 'cost: no rates are declared'
      : `cost: ${cost.segments.map((one) => `${formatNumber(one.amount)} ${cost.currency} (${one.metric} in ${one.segment})`).join(', ') || `0 ${cost.currency}`}`,
    cases === null
      ? 'cases: not available'
      : `cases: ${cases.green} green, ${cases.red} red, ${cases.unevaluable} unevaluable, ${cases.notApplicable} not applicable; ${cases.added ?? 0} added, ${cases.admitted ?? 0} admitted, ${cases.waived ?? 0} waived`,
    ...(incidents.length > 0 ? [`incidents: ${incidents.join(', ')}`] : []),
  ];
  return sections(
    `What changed since ${facts.since}\n${bullets(changed.length > 0 ? changed : ['nothing'])}`,
    `What was seen\n${bullets([...(seen.length > 0 ? seen : ['no verdict']), ...more])}`,
  );
}

const writtenText = ({ cause, next, prediction }: WrittenReview): string =>
  sections(
    paragraph(`Likely cause (${cause.mechanism}, ${cause.confidence} confidence): ${cause.text}`),
    paragraph(`It would be refuted by: ${cause.refutedBy}`),
    paragraph(`Next: ${next.sentence} (${next.owner}, until ${next.by})`),
    paragraph(
      `Prediction: ${prediction.metric} in ${prediction.segment} from ${prediction.from} to ${prediction.to} until ${prediction.by}`,
    ),
  );
