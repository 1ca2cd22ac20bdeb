import { missingIn } from '../approvals/answerers.ts';
import { isDenied, isStopped } from '../domain/action.ts';
import { BREAK_GLASS_SLOT } from '../domain/approval/approval.ts';
import { type Need, quorumOf } from '../domain/release.ts';
import { ROUTED_WORDS, supersededWords } from '../domain/words.ts';
import { actionUrl } from '../links.ts';
import type { GivenAnswer } from '../records/answer.ts';
import { dateText, inline, link } from './blocks/mrkdwn.ts';
import type { CardFacts } from './card-facts.ts';

const REASON_MAX = 600;
const NAME_MAX = 80;
const NAMES_MAX = 12;

/** Approval and execution: two facts, each in one line. */
export interface ActionFacts {
  decision: string;
  execution: string;
}

/** The name people know somebody by; whoever is no person of the agent stands as they are. */
export const nameOf = ({ names }: Pick<CardFacts, 'names'>, id: string): string =>
  inline(Object.hasOwn(names, id) ? (names[id] ?? id) : id, NAME_MAX);

/** Several names, and how many more; deputies with whom they stand in for. */
export function namesOf(facts: Pick<CardFacts, 'names' | 'lent'>, people: readonly string[]): string {
  const named = people.slice(0, NAMES_MAX).map((person) => {
    const other = Object.hasOwn(facts.lent, person) ? facts.lent[person] : undefined;
    return other === undefined
      ? nameOf(facts, person)
      : `${nameOf(facts, person)} for ${nameOf(facts, other)}`;
  });
  const more = people.length - named.length;
  return `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

const when = (at: Date | null): string => (at ? ` ${dateText(at)}` : '');
const because = (reason: string | null | undefined): string =>
  reason ? `: ${inline(reason, REASON_MAX)}` : '';

/** By what it went ahead: people with when and through what, a standing approval of theirs, or policy. */
function approvals(facts: CardFacts): string {
  const { action, under } = facts;
  if (under)
    return `Approved beforehand by ${nameOf(facts, under.by)}: a standing approval, given with ${link(
      actionUrl(facts.publicUrl, under.action),
      'another action',
    )}`;
  if (action.decided_by === 'policy') return byPolicy(facts);
  const list = facts.decisions.filter(({ verdict }) => verdict === 'approve');
  if (list.length === 0) return '';
  if (action.break_glass) return brokenGlass(facts, list);
  return `Approved by ${list.map((one) => answerOf(facts, one)).join(', ')}`;
}

function byPolicy({ action }: CardFacts): string {
  const grant = because(action.grant_name);
  if (action.earned)
    return `Allowed by policy, nobody was asked: earned by its record in this segment${grant}`;
  const [first] = action.reasons;
  return first?.code === 'approved_by_rule'
    ? `Allowed by a rule of the release${because(first.message)}`
    : `Allowed by policy${grant}`;
}

function answerOf(facts: CardFacts, { person, for_person, at, via, grp, reason }: GivenAnswer): string {
  const lent = for_person === person ? '' : ` for ${nameOf(facts, for_person)}`;
  const group = grp && isStaged(facts) ? ` of ${inline(grp, NAME_MAX)}` : '';
  const said = reason ? ` “${inline(reason, REASON_MAX)}”` : '';
  return `${nameOf(facts, person)}${lent}${group}${when(at)} (${via})${said}`;
}

function brokenGlass(facts: CardFacts, list: readonly GivenAnswer[]): string {
  const one = list.find(({ slot }) => slot === BREAK_GLASS_SLOT);
  const who = one ? answerOf(facts, { ...one, reason: null }) : 'one person';
  return `Approved by ${who} ALONE, breaking the glass${because(one?.reason)}`;
}

const isStaged = ({ action }: CardFacts): boolean => (action.approval?.stages.flat().length ?? 0) > 1;

function waiting(facts: CardFacts): string {
  const { approval, stage, expires_at } = facts.action;
  const stages = approval?.stages ?? [];
  const needs = stages[stage] ?? [];
  const who = namesOf(facts, facts.approvers) || 'nobody of it may decide';
  const parts = [
    isStaged(facts) ? openStage(facts, needs, stages.length, who) : oneGroup(facts, needs[0], who),
    approvals(facts),
    stages
      .slice(stage + 1)
      .map((later) => `Then ${needsText(later)}`)
      .join('. '),
    `Expires${when(expires_at)}`,
  ];
  return parts.filter((part) => part !== '').join('. ');
}

function oneGroup(facts: CardFacts, need: Need | undefined, who: string): string {
  const group = inline(need?.group ?? 'none', NAME_MAX);
  const quorum = quorumOf(facts.action.approval ?? undefined);
  const given = facts.decisions.filter(({ verdict }) => verdict === 'approve').length;
  return quorum <= 1
    ? `Waiting for one of group ${group} (${who})`
    : `${given} of ${quorum} approvals by group ${group}, waiting for ${who}`;
}

function openStage(facts: CardFacts, needs: readonly Need[], count: number, who: string): string {
  const stage = count > 1 ? `Stage ${facts.action.stage + 1} of ${count}: ` : '';
  const missing = needsText(missingIn(facts)) || needsText(needs);
  return `${stage}${stage ? 'waiting' : 'Waiting'} for ${missing} (${who})`;
}

const needsText = (needs: readonly Need[]): string =>
  needs.map(({ group, quorum }) => `${quorum} of ${inline(group, NAME_MAX)}`).join(' and ');

function denial(facts: CardFacts): string {
  const { action, decisions } = facts;
  if (action.decided_by === 'policy') {
    return `Denied by policy${because(action.reasons.map(({ message }) => message).join('; '))}`;
  }
  const denied = decisions.find(({ verdict }) => verdict === 'deny');
  const who = denied ? `${nameOf(facts, denied.person)}${when(denied.at)} (${denied.via})` : 'a person';
  const reason = action.deny_reason ?? denied?.reason;
  return reason ? `Denied by ${who}. Reason${because(reason)}` : `Denied by ${who}. No reason given yet`;
}

/** How something that nobody denied came to its end; who had approved it before is said too. */
function ending(facts: CardFacts, what: string): string {
  const before = approvals(facts);
  return before ? `${before}; ${what}` : `${what.charAt(0).toUpperCase()}${what.slice(1)}`;
}

function ended(facts: CardFacts): string {
  const { action } = facts;
  const { ended_by, ended_because, withdraw_reason } = action;
  const at = when(action.ended_at);
  const who = ended_by === null ? '' : ` by ${nameOf(facts, ended_by)}`;
  switch (action.state) {
    case 'expired':
      return action.decided_by === 'person'
        ? ending(facts, `expired before the agent began${at}`)
        : ending(facts, `expired unanswered${when(action.expires_at)}. Nobody denied it`);
    case 'withdrawn':
      return ending(facts, `withdrawn by the agent${at}${because(withdraw_reason ?? ended_because)}`);
    case 'superseded':
      return ending(facts, `void${at}${because(supersededWords(action.superseded_because))}`);
    default:
      return ending(facts, `switched off${who}${at}${because(ended_because)}`);
  }
}

function execution({ action }: CardFacts): string {
  switch (action.state) {
    case 'pending':
      return 'Not begun';
    case 'approved':
      return `Not begun. The agent may begin until${when(action.expires_at)}`;
    case 'executing':
      return `Begun${when(action.began_at)}. The agent reports by${when(action.deadline_at)}`;
    case 'executed':
      return `Executed${when(action.completed_at)}`;
    case 'failed':
      return `Failed${when(action.completed_at)}${because(action.error_code)}`;
    case 'unknown':
      return `Unknown. Begun${when(action.began_at)} and no report by${when(action.deadline_at)}: it may or may not have happened, look at the system it writes to`;
    default:
      return 'Never begun';
  }
}

/** What is true of an action now, in words for people. */
export function actionFacts(facts: CardFacts): ActionFacts {
  const { state } = facts.action;
  const decision =
    state === 'pending'
      ? waiting(facts)
      : state === 'denied'
        ? denial(facts)
        : isDenied(state)
          ? ended(facts)
          : approvals(facts);
  return { decision, execution: execution(facts) };
}

/** Everything else that people must know of where it stands, a line each: what it waits on, and what came of it. */
export const stateLines = (facts: CardFacts): string[] => [
  ...(facts.action.state === 'pending' ? waitingLines(facts) : []),
  ...reviewLines(facts),
  ...correctionLines(facts),
];

function waitingLines(facts: CardFacts): string[] {
  const { routed, stage } = facts.action;
  const escalated = routed
    .filter((route) => route.stage === stage)
    .map(
      ({ group, because: why, at }) =>
        `*Escalated:* group ${inline(group, NAME_MAX)} may answer too${when(new Date(at))}, because ${ROUTED_WORDS[why]}`,
    );
  const stale = facts.stale.map((group) => inline(group, NAME_MAX)).join(', ');
  return [
    ...escalated,
    ...(stale ? [`*Nobody of ${stale} counts now:* its members could not be read for too long`] : []),
    ...reachLines(facts),
  ];
}

/** Whether anybody knows of it who could answer. */
function reachLines(facts: CardFacts): string[] {
  const { reach } = facts.action;
  if (!reach) return [];
  const told = namesOf({ ...facts, lent: {} }, reach.people);
  switch (reach.state) {
    case 'delivered':
      return told ? [`*Told:* ${told}`] : [];
    case 'queued':
      return [`*Not told yet:* the card is due${reach.postAt ? when(new Date(reach.postAt)) : ' soon'}`];
    case 'undelivered':
      return [`*Not delivered:* Slack did not take it${because(reach.problem)}`];
    default:
      return [`*Nobody who may answer could be reached*${because(reach.problem)}`];
  }
}

function reviewLines(facts: CardFacts): string[] {
  const { break_glass, review, reviewed_by, reviewed_at } = facts.action;
  if (!break_glass) return [];
  if (!review || !reviewed_by)
    return ['*Review:* not reviewed yet. An owner or an auditor looks at it on the page'];
  const found = review.justified ? 'justified' : 'NOT justified';
  return [`*Review:* ${found}, by ${nameOf(facts, reviewed_by)}${when(reviewed_at)}${because(review.note)}`];
}

/** A person's word that the write was wrong. */
function correctionLines(facts: CardFacts): string[] {
  const { corrected_by, corrected_at, correction_reason, state } = facts.action;
  if (!corrected_at) return [];
  const who = nameOf(facts, corrected_by ?? 'somebody');
  const what = isStopped(state) ? 'Reported as right, and wrongly stopped,' : 'Reported as wrong';
  return [`*${what} by ${who}${when(corrected_at)}${because(correction_reason)}*`];
}
