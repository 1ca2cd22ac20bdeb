import { type MatureCounts, withSilence } from '../evidence/guardrail.ts';

/** What says that a follow-up is done. */
export type Done =
  | { kind: 'case'; case: string }
  | { kind: 'guardrail'; guardrail: string }
  | { kind: 'metric'; metric: string; below: number; days: number; segment?: string }
  | { kind: 'link'; what: string };

/** The forms of it, as people write them; whatever else is said needs a link and a second person. */
export const DONE_FORMS = [
  'case NAME is green in what is in force',
  'guardrail METRIC exists',
  'metric NAME below NUMBER for DAYS days [in SEGMENT]',
] as const;

const NAME = '([\\w.:-]{1,200})';
const CASE = new RegExp(`^case ${NAME}(?: is)? green(?: in what is in force)?$`);
const GUARDRAIL = new RegExp(`^guardrail ${NAME} exists(?: on [\\w.-]+)?$`);
const METRIC = new RegExp(
  `^metric ${NAME} below (\\d+(?:\\.\\d+)?) for (\\d{1,3}) days?(?: in ([\\w.-]{1,100}))?$`,
);

/** Reads what somebody wrote; a sentence of no form is done when a second person confirms a link. */
export function parseDone(text: string): Done {
  const said = text.trim().replaceAll(/\s+/g, ' ').replace(/\.$/, '');
  const ofCase = CASE.exec(said)?.[1];
  if (ofCase !== undefined) return { kind: 'case', case: ofCase };
  const guardrail = GUARDRAIL.exec(said)?.[1];
  if (guardrail !== undefined) return { kind: 'guardrail', guardrail };
  const [, metric, below, days, segment] = METRIC.exec(said) ?? [];
  if (metric !== undefined && Number(days) > 0)
    return {
      kind: 'metric',
      metric,
      below: Number(below),
      days: Number(days),
      ...(segment !== undefined && { segment }),
    };
  return { kind: 'link', what: text.trim() };
}

/** The predicate in words. */
export function doneText(done: Done): string {
  switch (done.kind) {
    case 'case':
      return `case ${done.case} is green in what is in force`;
    case 'guardrail':
      return `guardrail ${done.guardrail} exists`;
    case 'metric':
      return `metric ${done.metric} below ${done.below} for ${done.days} days${done.segment === undefined ? '' : ` in ${done.segment}`}`;
    default:
      return `${done.what} (by a link, confirmed by a second person)`;
  }
}

/** What the records say of a predicate; `undefined` where they cannot say. */
export interface DoneFacts {
  caseGreen?: boolean | undefined;
  guardrailExists?: boolean | undefined;
  /** What was counted of the metric on each of the days before now, the latest last. */
  metricDays?: readonly MatureCounts[] | undefined;
}

export interface Evaluated {
  /** Null: it cannot be told, which is not done. */
  done: boolean | null;
  because: string;
}

/**
 * Whether it is done by the records. Doubt is never done: a day of which nothing is known breaks a run of days, and so does one on
 * which those whom nobody reported on could have made it worse.
 */
export function evaluateDone(done: Done, facts: DoneFacts): Evaluated {
  switch (done.kind) {
    case 'case':
      if (facts.caseGreen === undefined)
        return { done: null, because: `there is no admitted case ${done.case}` };
      return {
        done: facts.caseGreen,
        because: `${done.case} is ${facts.caseGreen ? '' : 'not '}green in what is in force`,
      };
    case 'guardrail':
      if (facts.guardrailExists === undefined) return { done: null, because: 'no release is in force' };
      return {
        done: facts.guardrailExists,
        because: `${facts.guardrailExists ? 'there is' : 'no release in force has'} a guardrail on ${done.guardrail}`,
      };
    case 'metric':
      return metricBelow(done, facts.metricDays);
    default:
      return { done: null, because: 'a second person confirms its link' };
  }
}

function metricBelow(
  { metric, below, days }: Extract<Done, { kind: 'metric' }>,
  series: DoneFacts['metricDays'],
): Evaluated {
  if (series === undefined) return { done: null, because: `nothing is counted of ${metric}` };
  const last = series.slice(-days);
  const above = last.filter((day) => day.events > 0 && day.harms / day.events >= below).length;
  if (above > 0)
    return { done: false, because: `${metric} was not below ${below} on ${above} of the last ${days} days` };
  const known = last.filter((day) => day.events > 0 && withSilence(day).harms / day.events < below).length;
  return known < days
    ? {
        done: null,
        because: `${metric} is known to be below ${below} on ${known} of the last ${days} days: what nobody reported on could be harm`,
      }
    : { done: true, because: `${metric} was below ${below} on each of the last ${days} days` };
}
