import { acceptedText, armsText, falseMismatch } from '../../domain/evidence/arms.ts';
import { dayLimitText } from '../../domain/evidence/day-limit.ts';
import { eValueOf } from '../../domain/evidence/eprocess.ts';
import { ratioText } from '../../domain/evidence/ratio.ts';
import { changeText } from '../../domain/rollout/join.ts';
import { agentsWordText } from '../../domain/subject.ts';
import type { RolloutVerb } from '../../rollouts/verb.ts';
import type { RolloutSummary, WireRollout } from '../wire.ts';
import { formatNumber, formatTime, scaledDayNote } from './format.ts';
import { waiverText } from './preflight-text.ts';
import { bullets, command, fields, paragraph, quoted, sections, table } from './render.ts';

type Evidence = WireRollout['pooled'][number];

/** Where a rollout is, what it waits for and why. */
export function rolloutText(rollout: WireRollout, width: number): string {
  const { id, agent, release, status, phase, step, steps, plan, endedAt } = rollout;
  return sections(
    paragraph(`Rollout ${id}: release ${release} of ${agent}, ${status.replace('_', ' ')}`, width),
    fields(
      [
        ['Phase', `${phase}, step ${step} of ${steps}`],
        ['Plan', plan],
        ['Started', `${formatTime(rollout.startedAt)} by ${rollout.startedBy}`],
        ['Ended', endedAt ? formatTime(endedAt) : undefined],
        ['Watched', watchedText(rollout)],
        ['Gate', rollout.gateApprovedBy ? `approved by ${rollout.gateApprovedBy}` : undefined],
        [
          'Baseline',
          rollout.baselineDigest ? `locked, ${rollout.baselineDigest.slice(0, 16)}` : 'not locked yet',
        ],
        ['Subjects', subjectsText(rollout.subjects)],
        ['Note', scaledDayNote(rollout.dayMs)],
      ],
      width,
    ),
    waitsText(rollout, width),
    rollout.waivers.length > 0 ? `Waived\n${bullets(rollout.waivers.map(waiverText), width)}` : undefined,
    `Plan\n${planText(rollout, width)}`,
    `Segments\n${segmentsText(rollout, width)}`,
    baselineText(rollout, width),
    evidenceText(rollout, width),
    armsPart(rollout, width),
    pairsText(rollout, width),
    worthALookText(rollout, width),
    perDayText(rollout, width),
    buildsText(rollout, width),
    nextText(rollout),
  );
}

/** How long what breaches is taken back after everybody has it. */
function watchedText({ status, watchedUntil, watchOver }: WireRollout): string | undefined {
  if (status !== 'completed') return undefined;
  if (!watchedUntil) return 'as long as its release is in force';
  return `until ${formatTime(watchedUntil)}${watchOver ? ', over' : ''}`;
}

function subjectsText({ agentsWord, perHour, lastHour, surplus }: WireRollout['subjects']): string {
  if (agentsWord.length === 0) return 'vouched for: not the agent says what a request is about';
  return `${agentsWordText(agentsWord)}; ${lastHour} new in the last hour of at most ${perHour}, ${surplus} stay in control`;
}

function waitsText({ waitsFor, endedAt }: WireRollout, width: number): string {
  if (endedAt) return 'Waits for nothing: it is over.';
  if (waitsFor.length === 0) return 'Waits for nothing: it moves on within a moment.';
  return `Waits for\n${bullets(
    waitsFor.map(({ for: what, detail }) => `${what}: ${detail}`),
    width,
  )}`;
}

function planText({ planned }: WireRollout, width: number): string {
  const rows = planned.map(({ step, phase, fromDay, toDay, exposure, bounds, gate, state }) => [
    String(step),
    phase,
    `${formatNumber(fromDay)}-${formatNumber(toDay)}`,
    [exposure, bounds].filter(Boolean).join('; '),
    gate,
    state,
  ]);
  return table(['step', 'phase', 'days', 'exposure', 'gate', ''], rows, width);
}

function segmentsText({ segments }: WireRollout, width: number): string {
  const rows = segments.map(({ segment, exposurePercent, release, state, generation, asks, changed }) => [
    segment,
    `${exposurePercent} %`,
    release ?? '-',
    `${state.replace('_', ' ')}${asks ? ', each write asks' : ''}${changed ? `, ${changeText(changed)}` : ''}`,
    String(generation),
  ]);
  return table(['segment', 'exposure', 'release', 'state', 'generation'], rows, width);
}

function evidenceText({ segments, pooled }: WireRollout, width: number): string {
  const all = [...segments.flatMap(({ verdicts }) => verdicts), ...pooled];
  if (all.length === 0) return 'Evidence\n  None yet: record outcomes (portcullis outcome record).';
  const head = ['segment', 'metric', 'verdict', 'events', 'harm', 'rate', 'e-value', 'trigger', 'more'];
  return `Evidence (it acts when the e-value reaches the trigger)\n${table(head, all.flatMap(evidenceRows), width)}`;
}

function worthALookText({ worthALook }: WireRollout, width: number): string | undefined {
  if (worthALook.length === 0) return undefined;
  const lines = worthALook.map(({ segment, metric, why, value }) =>
    why === 'evidence'
      ? `${segment} ${metric}: its e-value of ${formatNumber(value)} stands out among all`
      : `${segment} ${metric}: it got worse lately (e-CUSUM ${formatNumber(value)})`,
  );
  return `Worth a look (nothing is taken back by it; at most one in ten is there by chance)\n${bullets(lines, width)}`;
}

/** The limits that the baseline gives, or would give if it were locked now. */
function baselineText({ baseline, baselineDigest }: WireRollout, width: number): string | undefined {
  const lines = baseline.flatMap(({ segment, metric, events, harms, values, own }) => {
    if (own === undefined) return [];
    const seen =
      values === undefined
        ? `${harms} of ${events} were harmful, so at most ${formatNumber(own.upper)} would be`
        : `${formatNumber(events === 0 ? 0 : values.sum / events)} in the mean of ${events}, so at most ${formatNumber(own.upper)} would be`;
    const little = values && values.over > 0 ? `${values.over} were above the cap` : 'too little for one';
    const said =
      own.limit === null
        ? `${seen}: NO LIMIT, ${little}; nothing is taken back by it`
        : `at most ${formatNumber(own.limit)}: ${seen}, plus the margin`;
    return `${segment} ${metric}: ${said}`;
  });
  if (lines.length === 0) return undefined;
  const title = baselineDigest ? 'Limits by the locked baseline' : 'Limits, were the baseline locked now';
  return `${title}\n${bullets(lines, width)}`;
}

/** What the counts are judged against; a rate that has no count beside it is named. */
function perDayText({ perDay, baselineDigest }: WireRollout, width: number): string | undefined {
  const title = 'Harms a day (fixed with the baseline, whatever the candidate begins)';
  if (!perDay)
    return baselineDigest
      ? `${title}\n${bullets(['none: it began before harms a day were counted, so harmless writes can dilute its rates'], width)}`
      : undefined;
  if (perDay.length === 0) return undefined;
  const lines = perDay.map((limit) => {
    const figure = limit.perDay === null ? '' : `${formatNumber(limit.perDay)}, `;
    return `${limit.segment} ${limit.metric}: ${figure}${dayLimitText(limit)}`;
  });
  return `${title}\n${bullets(lines, width)}`;
}

/** What is of which build, once there are several. */
function buildsText({ builds }: WireRollout, width: number): string | undefined {
  if (builds.length < 2) return undefined;
  const rows = builds.flatMap(({ version, counts, events }) =>
    (events.length > 0 ? events : [undefined]).map((one) => [
      version,
      counts ? 'yes' : 'no',
      one?.segment ?? '-',
      one?.metric ?? '-',
      String(one?.events ?? 0),
      String(one?.harms ?? 0),
    ]),
  );
  return `Builds (the sample of the gates is of those that count)\n${table(['agent version', 'counts', 'segment', 'metric', 'events', 'harm'], rows, width)}`;
}

function armsPart({ arms }: WireRollout, width: number): string | undefined {
  if (arms.length === 0) return undefined;
  const lines = arms.map(
    (one) =>
      `${one.segment}: ${armsText(one)}${one.mismatchedAt ? ': NOT AS ASSIGNED, nothing widens' : ''} (e-value ${formatNumber(eValueOf(one.logE))} of ${formatNumber(1 / falseMismatch(one.round))})${one.accepted ? `; ${acceptedText(one.accepted, formatTime(one.accepted.at))}` : ''}`,
  );
  return `Arms (whether subjects split as they are assigned)\n${bullets(lines, width)}`;
}

function pairsText({ pairs }: WireRollout, width: number): string | undefined {
  if (pairs.length === 0) return undefined;
  const lines = pairs.map(
    ({ segment, verdict, metrics }) =>
      `${segment}: ${verdict} (${metrics.map((one) => `${one.metric} ${one.verdict}`).join(', ')})`,
  );
  return `Judged together\n${bullets(lines, width)}`;
}

/** A rate, and on lines of their own what goes with it: the count over time, the comparison with control. */
const evidenceRows = (found: Evidence): string[][] => [
  evidenceRow(found),
  ...(found.count ? [countRow(found, found.count)] : []),
  ...(found.control ? [controlRow(found, found.control)] : []),
  ...(found.difference ? [differenceRow(found, found.difference)] : []),
];

const countRow = (found: Evidence, count: NonNullable<Evidence['count']>): string[] => [
  found.segment === '*' ? 'all' : found.segment,
  `${found.metric} a day`,
  count.fired ? 'breach' : '-',
  '-',
  String(count.total),
  `${count.total} of ${formatNumber(count.allowed)}`,
  formatNumber(count.eValue),
  count.thresholdLogE === null ? 'reports' : formatNumber(Math.exp(count.thresholdLogE)),
  '-',
];

const differenceRow = (found: Evidence, difference: NonNullable<Evidence['difference']>): string[] => [
  found.segment,
  `${found.metric} vs control`,
  difference.fired ? 'breach' : '-',
  String(difference.treated.subjects),
  '-',
  `${mean(difference.treatedMean)} beside ${mean(difference.controlMean)}`,
  difference.over > 0 ? 'over cap' : formatNumber(difference.eValue),
  difference.thresholdLogE === null ? 'reports' : formatNumber(Math.exp(difference.thresholdLogE)),
  '-',
];

const mean = (value: number | null): string => (value === null ? '-' : formatNumber(value));

const controlRow = (found: Evidence, control: NonNullable<Evidence['control']>): string[] => [
  found.segment,
  `${found.metric} vs control`,
  control.fired ? 'breach' : '-',
  '-',
  String(control.treatedHarms),
  `beside ${control.controlHarms}, ${formatNumber(control.ratio)}x`,
  formatNumber(control.eValue),
  control.thresholdLogE === null ? 'reports' : formatNumber(Math.exp(control.thresholdLogE)),
  '-',
];

/** Where higher is better as the release says it: what was reached, and the least that is good enough. */
const rateText = ({ limit, atLeast, unit }: Evidence, estimate: number): string =>
  atLeast === undefined
    ? `${unit === undefined ? formatNumber(estimate) : ratioText(formatNumber(estimate), unit)} of ${formatNumber(limit)}`
    : `${formatNumber(1 - estimate)}, least ${formatNumber(atLeast)}`;

const evidenceRow = (found: Evidence): string[] => [
  found.segment === '*' ? 'all' : found.segment,
  found.metric,
  found.verdict,
  String(found.events),
  found.harms === null ? '-' : String(found.harms),
  found.estimate === null ? '-' : rateText(found, found.estimate),
  formatNumber(found.eValue),
  found.thresholdLogE === null ? 'reports' : formatNumber(Math.exp(found.thresholdLogE)),
  found.moreNeeded === null ? '-' : String(found.moreNeeded),
];

/** What can be done about it: by whoever asks, or else by an owner of the agent. */
function nextText(rollout: WireRollout): string | undefined {
  if (rollout.endedAt) return undefined;
  const next = nextVerbs(rollout);
  const mine = next.filter(({ verb }) => rollout.may.includes(verb));
  const [heading, shown] = mine.length > 0 ? ['Next:', mine] : ['Next, by somebody who may:', next];
  if (shown.length === 0) return undefined;
  return `${heading}\n${shown.map(({ verb, rest }) => command(`portcullis rollout ${verb} ${rollout.id}${rest} --reason "..."`)).join('\n')}`;
}

/** The verbs that its state takes. */
function nextVerbs({ waitsFor, segments, arms }: WireRollout): { verb: RolloutVerb; rest: string }[] {
  const onlyPeople =
    waitsFor.length > 0 && waitsFor.every((wait) => wait.for === 'person' || wait.for === 'checklist');
  const checks = waitsFor.flatMap((wait) => wait.checks ?? []).map((check) => ` --confirm ${quoted(check)}`);
  const held = waitsFor.some((wait) => wait.for === 'paused' || wait.for === 'agent-version');
  const mismatched = arms.filter(({ mismatchedAt }) => mismatchedAt);
  const back = segments.filter(({ state }) => state === 'rolled_back');
  return [
    ...(onlyPeople ? [{ verb: 'approve-gate' as const, rest: checks.join('') }] : []),
    ...(held ? [{ verb: 'resume' as const, rest: '' }] : []),
    ...mismatched.flatMap(({ segment }) =>
      (['rollback', 'accept-arms'] as const).map((verb) => ({ verb, rest: ` --segment ${segment}` })),
    ),
    ...back.map(({ segment }) => ({ verb: 'reenter' as const, rest: ` --segment ${segment}` })),
  ];
}

/** Rollouts, open ones first. */
export function rolloutsText(rollouts: readonly RolloutSummary[], width: number): string {
  if (rollouts.length === 0) {
    return `No rollouts. Start one with an applied release:\n${command('portcullis rollout start <agent> <release> --reason "..."')}`;
  }
  const rows = rollouts.map(({ id, agent, release, status, startedAt }) => [
    id,
    agent,
    release,
    status.replace('_', ' '),
    formatTime(startedAt),
  ]);
  return table(['rollout', 'agent', 'release', 'status', 'started'], rows, width);
}
