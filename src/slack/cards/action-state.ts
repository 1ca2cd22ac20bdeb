import { describeStages, quorumOf } from '../../domain/release.ts';
import { dateText, inline } from '../mrkdwn.ts';
import type { CardFacts } from './card-facts.ts';

const REASON_MAX = 600;
const NAME_MAX = 80;

/** Approval and execution: two facts, each in one line. */
export interface ActionFacts {
  decision: string;
  execution: string;
}

const SUPERSEDED: Readonly<Record<string, string>> = {
  rolled_back: 'the permission it was asked under was rolled back',
  new_release: 'another release is in force now',
  approver_lost_standing: 'an approver is no longer in the group',
};

/** The name people know somebody by; whoever is no person of the agent stands as they are. */
export const nameOf = ({ names }: Pick<CardFacts, 'names'>, id: string): string =>
  inline(Object.hasOwn(names, id) ? (names[id] ?? id) : id, NAME_MAX);

const when = (at: Date | null): string => (at ? ` ${dateText(at)}` : '');
const because = (reason: string | null | undefined): string =>
  reason ? `: ${inline(reason, REASON_MAX)}` : '';

/** Who approved, with when and through what. */
function approvals(facts: CardFacts): string {
  if (facts.action.decided_by === 'policy') return `Allowed by policy${because(facts.action.grant_name)}`;
  const list = facts.decisions.filter(({ verdict }) => verdict === 'approve');
  if (list.length === 0) return '';
  const each = list.map(({ person, at, via }) => `${nameOf(facts, person)}${when(at)} (${via})`);
  return `Approved by ${each.join(', ')}`;
}

function waiting(facts: CardFacts): string {
  const { approval, expires_at } = facts.action;
  const quorum = quorumOf(approval ?? undefined);
  const given = facts.decisions.filter(({ verdict }) => verdict === 'approve').length;
  const who = facts.approvers.map((person) => nameOf(facts, person)).join(', ');
  const asked = `group ${inline(approval ? describeStages(approval) : 'none', NAME_MAX)} (${who || 'nobody of it may decide'})`;
  const need = quorum === 1 ? `Waiting for one of ${asked}` : `${given} of ${quorum} approvals by ${asked}`;
  const so = given > 0 ? `. ${approvals(facts)}` : '';
  return `${need}${so}. Expires${when(expires_at)}`;
}

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
  const { action, ended: end } = facts;
  const at = when(end?.at ?? null);
  const who = end ? ` by ${nameOf(facts, end.by)}` : '';
  switch (action.state) {
    case 'expired':
      return action.decided_by === 'person'
        ? ending(facts, `expired before the agent began${at}`)
        : ending(facts, `expired unanswered${when(action.expires_at)}. Nobody denied it`);
    case 'withdrawn':
      return ending(facts, `withdrawn by the agent${at}${because(end?.reason)}`);
    case 'superseded': {
      const why = SUPERSEDED[action.superseded_because ?? ''];
      return ending(facts, `void${at}${because(why ?? 'what it was asked under no longer holds')}`);
    }
    default:
      return ending(facts, `switched off${who}${at}${because(end?.reason)}`);
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
        : state === 'expired' || state === 'withdrawn' || state === 'superseded' || state === 'disabled'
          ? ended(facts)
          : approvals(facts);
  return { decision, execution: execution(facts) };
}

/** A person's word that the write was wrong; `undefined` when nobody said so. */
export function correctionLine(facts: CardFacts): string | undefined {
  const { corrected_by, corrected_at, correction_reason } = facts.action;
  if (!corrected_at) return undefined;
  const who = nameOf(facts, corrected_by ?? 'somebody');
  return `Reported as wrong by ${who}${when(corrected_at)}${because(correction_reason)}`;
}
