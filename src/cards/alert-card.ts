import { scopeText } from '../domain/scope.ts';
import { actionUrl } from './action-card.ts';
import type { AlertFacts } from './alert-facts.ts';
import { BUTTON, VALUE } from './blocks/buttons.ts';
import { LIMITS } from './blocks/limits.ts';
import {
  actions,
  type Button,
  button,
  context,
  type KnownBlock,
  type SlackMessage,
  section,
} from './blocks/message.ts';
import { cut, dateText, inline, link } from './blocks/mrkdwn.ts';

const LISTED_MAX = 10;
const ROLLBACK_BUTTONS_MAX = 5;
const LINE_MAX = 400;

/** The card of an alert: what happened in the first line, what now applies, and the buttons that stop more. */
export function alertCard(alert: AlertFacts): SlackMessage {
  const headline = headlineOf(alert);
  const lines = linesOf(alert);
  const last = `Alert ${inline(alert.id, 120)} · ${dateText(alert.at)}`;
  const buttons = buttonsOf(alert);
  const blocks: KnownBlock[] = [
    section('first', `*${headline}*`),
    ...(lines.length > 0 ? [section('what', lines.join('\n'))] : []),
    ...listBlocks(alert),
    ...(buttons.length > 0 ? [actions('buttons', buttons)] : []),
    context('last', [last]),
  ];
  const text = [headline, ...lines, ...executedLines(alert), ...inFlightLines(alert), last].join('\n');
  return { text: cut(text, LIMITS.text), blocks };
}

const say = (text: string | null | undefined): string => inline(text ?? '?', LINE_MAX);

function headlineOf({ kind, agent, facts }: AlertFacts): string {
  const who = agent === null ? 'everything' : `agent ${say(agent)}`;
  switch (kind) {
    case 'rollout.rolled_back':
      return `Rolled back: ${say(facts.segment)} of ${who} is back on release ${say(facts.backOn ?? 'none')}`;
    case 'rollout.gate':
      return `${facts.escalatedTo.length > 0 ? 'Nobody answered: a' : facts.reminder ? 'Still: a' : 'A'} gate waits for an owner: step ${facts.step ?? '?'} (${say(facts.phase)}) of ${who}`;
    case 'rollout.held':
      return `Rollout held: ${who}`;
    case 'rollout.tightened':
      return `Each write asks now: ${say(facts.segment)} of ${who}`;
    case 'rollout.completed':
      return `Rollout completed: ${who}`;
    case 'rollout.watch_ended':
      return `Watched no more, and not all of it was read: ${who}`;
    case 'switch.disabled':
      return `Disabled: ${say(facts.scope)} by ${say(facts.actor)}: ${say(facts.reason)}`;
    case 'switch.enabled':
      return `Enabled again: ${say(facts.scope)} by ${say(facts.actor)}: ${say(facts.reason)}`;
    case 'action.unknown':
      return `Nobody knows how it ended: ${say(facts.summary)} (${who})`;
    case 'action.break_glass':
      return `Glass broken: ${say(facts.person)} approved alone: ${say(facts.summary)} (${who})`;
    case 'action.unreached':
      return `Nobody who is needed can be reached: ${say(facts.summary)} (${who})`;
    case 'action.undelivered':
      return `Nobody was told, Slack did not take it: ${say(facts.summary)} (${who})`;
    case 'autonomy.proposed':
      return `Proposed: ${say(facts.tool)} of ${who} asks no more in ${say(facts.segment)}`;
    case 'autonomy.changed':
      return facts.to === 'allow'
        ? `Earned: ${say(facts.tool)} of ${who} asks no more in ${say(facts.segment)}`
        : `Asks again: ${say(facts.tool)} of ${who} in ${say(facts.segment)}`;
    case 'incident.opened':
      return `Incident: ${say(facts.summary)} (${who})`;
    case 'incident.unclassified':
      return `Nobody said yet how it could happen: ${say(facts.summary)} (${who})`;
    case 'follow_up.due':
      return `${facts.overdue ? 'Overdue' : 'Due'}: ${say(facts.sentence)} (${who})`;
    case 'review.due':
      return `A cycle that ended has no review yet, and the next start waits for it: ${who}`;
    default:
      return `${inline(kind, 60)}: ${who}`;
  }
}

function linesOf({ kind, facts, publicUrl, rollout }: AlertFacts): string[] {
  const lines: (string | undefined)[] = [
    facts.because && `Because: ${say(facts.because)}`,
    facts.metric ? evidenceLine(facts) : undefined,
    facts.costs ? `It cost ${say(facts.costs)}` : undefined,
    kind === 'rollout.rolled_back' ? nowApplies(facts) : undefined,
    facts.voided != null ? `Void: ${facts.voided} that waited or were approved` : undefined,
    facts.reads ? 'Reads are stopped too' : undefined,
    facts.waitsFor.length > 0 ? `Waits for: ${say(facts.waitsFor.join('; '))}` : undefined,
    facts.escalatedTo.length > 0 ? `Told on-call too: ${say(facts.escalatedTo.join(', '))}` : undefined,
    facts.checklist.length > 0 ? `To check: ${say(facts.checklist.join('; '))}` : undefined,
    facts.segments.length > 0 ? `Segments: ${say(facts.segments.join(', '))}` : undefined,
    kind === 'action.break_glass' ? `Reason: ${say(facts.reason)}` : undefined,
    facts.problem && `Why: ${say(facts.problem)}`,
    facts.evidence && earnedLine(facts.evidence),
    facts.release && facts.agentVersion
      ? `Release ${say(facts.release)}, agent version ${say(facts.agentVersion)}`
      : undefined,
    kind === 'autonomy.proposed'
      ? 'A release manager confirms or refuses it: portcullis autonomy'
      : undefined,
    facts.action
      ? `${ABOUT_ACTION[kind] ?? ''} ${link(actionUrl(publicUrl, facts.action), 'Open the action')}`.trim()
      : undefined,
    kind === 'incident.opened' || kind === 'incident.unclassified'
      ? incidentLine(facts, publicUrl)
      : undefined,
    facts.followUp ? followUpLine(facts) : undefined,
    facts.breachToRevokedMs != null
      ? `From breach to revoked: ${Math.round(facts.breachToRevokedMs)} ms`
      : undefined,
    rollout
      ? `Rollout ${say(rollout)}${facts.incident ? `, incident ${say(facts.incident)}` : ''}`
      : undefined,
  ];
  return lines.filter((line): line is string => Boolean(line));
}

const incidentLine = (
  { incident, severity, person, mechanism, classifyBy }: AlertFacts['facts'],
  publicUrl: string,
): string =>
  [
    link(`${publicUrl}/incidents/${encodeURIComponent(incident ?? '')}`, incident ?? 'Open it'),
    severity && `severity ${say(severity)}`,
    person && `owner ${say(person)}`,
    mechanism && `by the records ${say(mechanism)}`,
    classifyBy && `to be classified by ${dateText(new Date(classifyBy))}`,
  ]
    .filter(Boolean)
    .join(', ');

const followUpLine = ({ followUp, person, dueAt, blocks, incident }: AlertFacts['facts']): string =>
  `${say(followUp)} of ${say(person ?? 'nobody')}${dueAt ? `, due ${dateText(new Date(dueAt))}` : ''}${incident ? `, of ${say(incident)}` : ''}${blocks ? '. No start and no wider step of the agent until it is done or waived' : ''}`;

const ABOUT_ACTION: Readonly<Record<string, string>> = {
  'action.unknown': 'It had begun and did not report in time.',
  'action.break_glass': 'Somebody else reviews it now, on its page.',
  'action.unreached': 'It waits all the same. Find somebody who may answer it before it expires.',
  'action.undelivered': 'It is tried on, and can be answered on its page and by CLI meanwhile.',
};

const earnedLine = ({
  decided,
  good,
  bad,
  lower,
  above,
}: NonNullable<AlertFacts['facts']['evidence']>): string =>
  `Evidence: ${decided ?? '?'} decided by people, ${good ?? '?'} approved unedited and right, ${bad ?? '?'} not; proven share ${lower ?? '?'}, needed ${above ?? '?'}`;

function evidenceLine({
  metric,
  harms,
  events,
  limit,
  eValue,
  allowed,
  besideControl,
  mean,
  ratio,
  besideMean,
}: AlertFacts['facts']): string {
  const found = `Evidence: ${say(metric)}: ${harms ?? '?'}`;
  const by = `e-value ${eValue ?? '?'}`;
  if (mean != null && besideMean != null)
    return `Evidence: ${say(metric)}: ${mean} in the mean of ${events ?? '?'} subjects beside ${besideMean} of the release in force, ${by}`;
  if (ratio !== undefined)
    return `Evidence: ${say(metric)}: ${say(ratio)} over ${events ?? '?'} events where ${limit ?? '?'} is the limit, ${by}`;
  if (mean != null)
    return `Evidence: ${say(metric)}: ${mean} in the mean of ${events ?? '?'} events, limit ${limit ?? '?'}, ${by}`;
  if (allowed != null) return `${found} harms in a time that allows ${allowed}, ${by}`;
  if (besideControl != null)
    return `${found} harmful subjects beside ${besideControl} of the release in force, ${by}`;
  return `${found} of ${events ?? '?'} events, limit ${limit ?? '?'}, ${by}`;
}

const nowApplies = ({ backOn, waiting, approversInGroup }: AlertFacts['facts']): string =>
  `What now applies: release ${say(backOn ?? 'none')}; ${waiting ?? 0} waiting for an answer, ${approversInGroup ?? 0} people may give it`;

function executedLines({ facts }: AlertFacts): string[] {
  return listed(
    'Executed by it, permission is taken back and not the past',
    facts.executed,
    ({ summary, reversibility, undo }) =>
      `${say(summary)} (${inline(reversibility, 40)}${undo ? `: ${say(undo)}` : ''})`,
  );
}

function inFlightLines({ facts }: AlertFacts): string[] {
  return listed(
    'Had begun and may still land',
    facts.inFlight,
    ({ summary, agent }) => `${say(summary)}${agent ? ` (${inline(agent, 80)})` : ''}`,
  );
}

function listed<T>(title: string, items: readonly T[], line: (item: T) => string): string[] {
  if (items.length === 0) return [];
  const more = items.length - LISTED_MAX;
  return [
    `${title}:`,
    ...items.slice(0, LISTED_MAX).map((item) => `• ${line(item)}`),
    ...(more > 0 ? [`and ${more} more`] : []),
  ];
}

function listBlocks(alert: AlertFacts): KnownBlock[] {
  const lists = [executedLines(alert), inFlightLines(alert)].filter((lines) => lines.length > 0);
  return lists.map((lines, index) => section(`list${index}`, lines.join('\n')));
}

/** Both ask for a reason; the gate that is answered is the one that is shown. */
function gateButtons({ kind, agent, facts, rollout }: AlertFacts): Button[] {
  if (kind !== 'rollout.gate' || !rollout || !agent || facts.step === undefined) return [];
  const value = VALUE.gate.encode({ rollout, agent, step: facts.step });
  return [
    button(BUTTON.gateApprove, 'Approve gate', { value, style: 'primary' }),
    button(BUTTON.gateReject, 'Reject gate', { value }),
  ];
}

const ABOUT_INCIDENT = ['incident.opened', 'incident.unclassified', 'rollout.rolled_back'];

function classifyButton({ kind, agent, facts }: AlertFacts): Button[] {
  const { incident, mechanism } = facts;
  if (!ABOUT_INCIDENT.includes(kind) || !agent || !incident || mechanism) return [];
  return [button(BUTTON.incidentClassify, 'Classify', { value: VALUE.incident.encode({ incident, agent }) })];
}

function buttonsOf(alert: AlertFacts): Button[] {
  const { id, kind, agent, facts, rollout, exposed } = alert;
  const about = facts.segment !== undefined && exposed.includes(facts.segment) ? [facts.segment] : exposed;
  const rollbacks = rollout && agent ? about.slice(0, ROLLBACK_BUTTONS_MAX) : [];
  return [
    ...gateButtons(alert),
    ...rollbacks.map((segment, index) =>
      button(
        `${BUTTON.alertRollback}.${index}`,
        segment === facts.segment ? 'Roll back segment' : `Roll back segment ${segment}`,
        {
          value: VALUE.rollback.encode({ alert: id, rollout: rollout ?? '', agent: agent ?? '', segment }),
          style: 'danger',
          confirm: sure(`Roll back ${segment}: exposure zero at once, what waits is void.`, 'Roll back'),
        },
      ),
    ),
    ...(agent && kind !== 'switch.disabled'
      ? [
          button(BUTTON.alertDisable, 'Disable agent', {
            value: VALUE.disable.encode({ alert: id, scope: scopeText({ agent }) }),
            style: 'danger',
            confirm: sure(`Disable ${agent}: no write of it begins until a person enables it.`, 'Disable'),
          }),
        ]
      : []),
    ...classifyButton(alert),
    button(BUTTON.alertWhy, 'Why', { value: VALUE.why.encode({ alert: id }) }),
  ];
}

const sure = (text: string, confirm: string) => ({
  title: { type: 'plain_text' as const, text: 'Are you sure?' },
  text: { type: 'plain_text' as const, text: cut(text, LIMITS.confirmText) },
  confirm: { type: 'plain_text' as const, text: confirm },
  deny: { type: 'plain_text' as const, text: 'Cancel' },
});

/** All that is known about an alert, for the *Why* modal: escaped text. */
export function whyText(alert: AlertFacts): string {
  return [`*${headlineOf(alert)}*`, ...linesOf(alert), ...executedLines(alert), ...inFlightLines(alert)].join(
    '\n',
  );
}
