import { slackMayApprove } from '../domain/approval/approval.ts';
import { actionUrl } from '../links.ts';
import { BUTTON, type More, moreValue, VALUE } from './blocks/buttons.ts';
import { type Button, button, confirmation, type Overflow, overflow } from './blocks/message.ts';
import { label } from './blocks/mrkdwn.ts';
import { openButton, spoken } from './blocks/open-button.ts';
import type { CardFacts } from './card-facts.ts';

const OPEN = 'Open the page';
const BATCH_MAX = 50;
const CONFIRM_SUMMARY_MAX = 150;
const CONFIRM_CONSEQUENCE_MAX = 80;

/** What a person may do from the card as it stands. */
export const buttonsOf = (facts: CardFacts): (Button | Overflow)[] =>
  facts.action.state === 'pending' ? answers(facts) : [...afterwards(facts), ...pageButton(facts, OPEN)];

/** Why there is no button to approve with; `undefined` where there is one. */
export function whyNotHere({ action }: CardFacts): string | undefined {
  if (action.state !== 'pending' || slackMayApprove(action)) return undefined;
  const what = action.approval?.slackApproves === 'not-high' ? 'high risk' : 'this';
  return `*Approve on the page or by CLI:* its release does not let a Slack account alone approve ${what}. Denying works here`;
}

function answers(facts: CardFacts): (Button | Overflow)[] {
  const { action } = facts;
  const deny = button(BUTTON.deny, 'Deny', {
    value: valueFor(facts),
    style: 'danger',
    accessibility_label: spoken('Deny', action.summary),
  });
  if (!slackMayApprove(action))
    return [...pageButton(facts, 'Approve on the page', 'primary'), deny, ...menu(facts)];
  return [approveButton(facts), deny, ...menu(facts), ...pageButton(facts, OPEN)];
}

/** Where a reason is needed a modal asks for it, and that is a second step already. */
function approveButton(facts: CardFacts): Button {
  const { action } = facts;
  const common = {
    value: valueFor(facts),
    style: 'primary' as const,
    accessibility_label: spoken('Approve', action.summary),
  };
  if (action.approval?.reason === 'required') return button(BUTTON.approveReason, 'Approve', common);
  const sure = action.risk === 'high' ? { confirm: highRisk(facts) } : {};
  return button(BUTTON.approve, 'Approve', { ...common, ...sure });
}

function highRisk({ action, tool }: CardFacts) {
  const consequence = tool?.consequence ? ` ${label(tool.consequence, CONFIRM_CONSEQUENCE_MAX)}.` : '';
  const text = `${label(action.summary, CONFIRM_SUMMARY_MAX)}.${consequence} It is ${tool?.reversibility ?? 'irreversible, as far as is known'}.`;
  return confirmation(`Approve this high-risk ${action.kind}?`, text, 'Approve');
}

function menu(facts: CardFacts): Overflow[] {
  const { action, alike, decisions } = facts;
  const here = slackMayApprove(action);
  const mayStand =
    action.approval?.standing === 'allowed' && action.kind === 'write' && decisions.length === 0;
  const options: [More, string, boolean][] = [
    ['reason', 'Approve with a reason', here],
    ['edit', 'Edit the arguments', here],
    ['standing', 'Approve the like for a while', here && mayStand],
    ['batch', `Answer ${Math.min(BATCH_MAX, alike + 1)} alike together`, alike > 0],
    ['glass', 'Break the glass: approve alone', here && action.approval?.breakGlass !== undefined],
  ];
  const offered = options
    .filter(([, , offer]) => offer)
    .map(([verb, text]) => ({ text, value: moreValue(verb, action.id) }));
  return offered.length > 0 ? [overflow(BUTTON.more, offered)] : [];
}

function afterwards(facts: CardFacts): Button[] {
  const { action } = facts;
  const value = valueFor(facts);
  const wrong =
    (action.state === 'executed' || action.state === 'unknown') &&
    action.kind === 'write' &&
    !action.corrected_at;
  return [
    ...(action.state === 'denied' && action.decided_by === 'person' && !action.deny_reason
      ? [button(BUTTON.denyReason, 'Give the reason', { value })]
      : []),
    ...(wrong ? [button(BUTTON.report, 'Report a wrong write', { value, style: 'danger' })] : []),
  ];
}

function pageButton({ action, publicUrl }: CardFacts, name: string, style?: 'primary'): Button[] {
  const open = openButton(name, actionUrl(publicUrl, action.id), action.summary, style);
  return open ? [open] : [];
}

const valueFor = ({ action }: CardFacts): string =>
  VALUE.action.encode({
    id: action.id,
    revision: action.revision,
    digest: action.args_digest,
    version: action.card_version,
  });
