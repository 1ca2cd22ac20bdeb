/** What a case says of a release, for whoever wants to start it. */
export interface CaseLine {
  case: string;
  why: string;
}

/** The regression cases of an agent, run on the release that is to start. */
export interface SuiteFacts {
  /** Whether a case of the agent was ever admitted, retired or not. */
  everAdmitted: boolean;
  green: number;
  notApplicable: number;
  red: readonly CaseLine[];
  unevaluable: readonly CaseLine[];
}

/** A case that need not be green: on whose word, why and until when. */
export interface CaseWaiver {
  case: string;
  person: string;
  reason: string;
  until: Date;
}

/** That an agent has no case yet, as it was said once. */
export interface NoneYet {
  person: string;
  reason: string;
  at: Date;
}

/** A committed follow-up of high severity whose day is over. */
export interface OverdueFollowUp {
  id: string;
  sentence: string;
  owner: string;
  dueAt: Date;
}

export const BLOCKER_CODES = [
  'not_ready',
  'cases_red',
  'cases_unevaluable',
  'cases_empty',
  'none_yet_not_true',
  'none_yet_said_before',
  'waiver_of_nothing',
  'business_missing',
  'follow_up_overdue',
] as const;

/** Why a rollout cannot start, and how that is mended. */
export interface Blocker {
  code: (typeof BLOCKER_CODES)[number];
  message: string;
  hint: string;
}

export interface SuiteGate {
  suite: SuiteFacts;
  /** Those that have not ended. */
  waivers: readonly CaseWaiver[];
  /** Said for this start: why there is no case yet. */
  noneYet: string | undefined;
  /** Said for another start before. */
  saidBefore: NoneYet | undefined;
}

/** A release starts when no case is red, none unevaluable and at least one says something of it. */
export function suiteBlockers({ suite, waivers, noneYet, saidBefore }: SuiteGate): Blocker[] {
  const waived = new Set(waivers.map((one) => one.case));
  const notWaived = (lines: readonly CaseLine[]) => lines.filter((line) => !waived.has(line.case));
  const failing = [...suite.red, ...suite.unevaluable];
  return [
    ...notWaived(suite.red).map((line): Blocker => {
      const hint = `mend the release, or say for how long it need not hold: --waive "${line.case} until <date>: <why>"`;
      return { code: 'cases_red', message: redText(line), hint };
    }),
    ...notWaived(suite.unevaluable).map((line): Blocker => {
      const message = unevaluableText(line);
      const hint = `mend the release or the case, or --waive "${line.case} until <date>: <why>"`;
      return { code: 'cases_unevaluable', message, hint };
    }),
    ...(suite.green === 0 && failing.length === 0 ? emptyBlockers(suite, noneYet, saidBefore) : []),
    ...(noneYet !== undefined && suite.everAdmitted ? [NOT_TRUE] : []),
  ];
}

/** What a case says of a release that does again what must not happen again. */
export const redText = ({ case: name, why }: CaseLine): string => `case ${name} is red: ${why}`;

/** The same where nothing can be told. */
export const unevaluableText = ({ case: name, why }: CaseLine): string =>
  `case ${name} cannot be evaluated, which is not green: ${why}`;

const NOT_TRUE: Blocker = {
  code: 'none_yet_not_true',
  message: 'the agent has had regression cases, so it cannot be said that it has none yet',
  hint: 'start without --none-yet',
};

/** Nothing that says anything is no good news: it is said once, by somebody, or a case is written. */
function emptyBlockers(
  { everAdmitted, notApplicable }: SuiteFacts,
  noneYet: string | undefined,
  saidBefore: NoneYet | undefined,
): Blocker[] {
  const write = 'write one: portcullis cases add';
  if (everAdmitted) {
    const message =
      notApplicable > 0
        ? `none of the ${notApplicable} regression cases says anything of this release`
        : 'all regression cases of the agent are retired: none says anything of this release';
    return [{ code: 'cases_empty', message, hint: write }];
  }
  if (saidBefore) {
    const { person, at, reason } = saidBefore;
    const message = `there is no regression case, and ${person} said once already that there is none yet (${at.toISOString().slice(0, 10)}: ${reason})`;
    return [{ code: 'none_yet_said_before', message, hint: write }];
  }
  if (noneYet !== undefined) return [];
  const message = 'there is no regression case, so nothing says that past errors do not come back';
  return [
    {
      code: 'cases_empty',
      message,
      hint: `${write}, or, once per agent, say why there is none: --none-yet "<why>"`,
    },
  ];
}

/** A waiver of a case that is not red names something else than its writer believes. */
export function waiverBlockers(waivers: readonly CaseWaiver[], { red, unevaluable }: SuiteFacts): Blocker[] {
  const failing = new Set([...red, ...unevaluable].map((line) => line.case));
  return waivers
    .filter((one) => !failing.has(one.case))
    .map((one) => ({
      code: 'waiver_of_nothing',
      message: `case ${one.case} is to be waived, and is neither red nor unevaluable`,
      hint: failing.size > 0 ? `those are ${[...failing].join(', ')}` : 'leave the waiver out',
    }));
}

export const overdueBlockers = (overdue: readonly OverdueFollowUp[]): Blocker[] =>
  overdue.map(({ id, sentence, owner, dueAt }) => ({
    code: 'follow_up_overdue',
    message: `follow-up ${id} of ${owner} was due on ${dueAt.toISOString().slice(0, 10)}: ${sentence}`,
    hint: `do it, or have it waived: portcullis follow-ups waive ${id}`,
  }));

/** A limit on something nobody can say the worth of takes releases back for no reason. */
export const businessBlockers = (
  guardrails: readonly { metric: string }[],
  metrics: Readonly<Record<string, { business: string }>>,
): Blocker[] =>
  guardrails.flatMap(({ metric }): Blocker | [] => {
    const declared = Object.hasOwn(metrics, metric) ? metrics[metric] : undefined;
    if (declared === undefined || declared.business.trim() !== '') return [];
    return {
      code: 'business_missing',
      message: `guardrail ${metric}: its metric stands for no business metric`,
      hint: `write metrics.${metric}.business in the manifest of the agent`,
    };
  });
