import { BUTTON, VALUE } from '../buttons.ts';
import { LIMITS } from '../limits.ts';
import { codePieces, cut, dateText, inline, link } from '../mrkdwn.ts';
import { actionFacts, correctionLine, nameOf } from './action-state.ts';
import type { CardFacts } from './card-facts.ts';
import {
  actions,
  type Button,
  button,
  context,
  fields,
  type KnownBlock,
  type SlackMessage,
  section,
} from './message.ts';

const SUMMARY_MAX = 600;
const CONSEQUENCE_MAX = 500;
const WHY_MAX = 1_200;
const PIECE_MAX = 2_900;
const PIECES_MAX = 3;
const LINKS_MAX = 5;
const LINK_LENGTH_MAX = 300;
const TEXT_ARGS_MAX = 900;
const REAL_DAY_MS = 86_400_000;

/** The page of an action. */
export const actionUrl = (publicUrl: string, id: string): string =>
  `${publicUrl.replace(/\/+$/, '')}/actions/${encodeURIComponent(id)}`;

/** The card of an action: a function of its record alone, the same on every copy. */
export function actionCard(facts: CardFacts): SlackMessage {
  const { action } = facts;
  const id = (part: string) => `${part}:${action.id.slice(0, 8)}:${facts.version}`;
  const { decision, execution } = actionFacts(facts);
  const correction = correctionLine(facts);
  const state = [
    `*Decision:* ${decision}`,
    `*Execution:* ${execution}`,
    ...(correction ? [`*${correction}*`] : []),
  ];
  const blocks: KnownBlock[] = [
    section(id('first'), `*${summaryOf(facts)}*${after(facts)}`),
    section(id('state'), state.join('\n')),
    fields(id('facts'), pairsOf(facts)),
    ...(action.why ? [section(id('why'), `*The agent's reason*\n${inline(action.why, WHY_MAX)}`)] : []),
    ...argBlocks(facts, id),
    ...linkBlocks(facts, id),
    ...warningBlocks(facts, id),
    ...buttonBlocks(facts, id),
    context(id('last'), [lastLine(facts)]),
  ];
  return {
    text: textOf(facts, [
      `Decision: ${decision}`,
      `Execution: ${execution}`,
      ...(correction ? [correction] : []),
    ]),
    blocks,
  };
}

const summaryOf = ({ action }: CardFacts): string => inline(action.summary, SUMMARY_MAX);

/** The consequence and, while somebody is asked, the deadline: the rest of the first line. */
function after({ action, tool }: CardFacts): string {
  const consequence = tool?.consequence ? `. ${inline(tool.consequence, CONSEQUENCE_MAX)}` : '';
  const deadline =
    action.state === 'pending' && action.expires_at ? `. Answer by ${dateText(action.expires_at)}` : '';
  return `${consequence}${deadline}`;
}

function pairsOf(facts: CardFacts): [string, string][] {
  const { action, tool } = facts;
  const segment = action.segment
    ? `${inline(action.segment, 80)}, release ${inline(action.release ?? 'none', 80)}`
    : 'none';
  return [
    ['Agent', `${inline(action.agent, 80)}, version ${inline(action.agent_version, 80)}`],
    ['Tool', inline(action.tool, 80)],
    ['Risk', tool?.risk ?? 'unknown: the tool is no longer in the manifest'],
    [
      'Can it be undone',
      `${tool?.reversibility ?? 'unknown'}${tool?.undo ? `: ${inline(tool.undo, 400)}` : ''}`,
    ],
    ['Segment', `${segment}${action.arm === 'candidate' ? ' (candidate)' : ''}`],
    ['Asked', `${dateText(action.asked_at)} by ${nameOf(facts, action.asked_by)}`],
    ...(action.behind.length > 0
      ? [['For', action.behind.map((named) => nameOf(facts, named)).join(', ')] as [string, string]]
      : []),
  ];
}

const argsText = ({ args }: CardFacts): string => (args === undefined ? '' : JSON.stringify(args, null, 2));

function argBlocks(facts: CardFacts, id: (part: string) => string): KnownBlock[] {
  if (facts.args === undefined) return [section(id('args'), '*Arguments*\nErased')];
  const { pieces, left } = codePieces(argsText(facts), PIECE_MAX, PIECES_MAX);
  const blocks: KnownBlock[] = pieces.map((piece, index) =>
    section(id(`args${index}`), `${index === 0 ? '*Arguments*\n' : ''}\`\`\`\n${piece}\n\`\`\``),
  );
  if (left === 0) return blocks;
  const page = actionUrl(facts.publicUrl, facts.action.id);
  return [...blocks, section(id('more'), `*${left} more characters:* ${link(page, 'open the page')}`)];
}

function linkBlocks({ action }: CardFacts, id: (part: string) => string): KnownBlock[] {
  if (action.links.length === 0) return [];
  const shown = action.links
    .slice(0, LINKS_MAX)
    .map((url) => (url.length > LINK_LENGTH_MAX ? inline(url, 120) : link(url, url)));
  const more = action.links.length - shown.length;
  return [
    context(id('links'), [`The agent points to ${shown.join(' , ')}${more > 0 ? ` and ${more} more` : ''}`]),
  ];
}

function warningBlocks({ tool, testMode, dayMs }: CardFacts, id: (part: string) => string): KnownBlock[] {
  const lines = [
    ...(testMode ? ['*TEST MODE:* owners of the agent may approve. Never for production'] : []),
    ...(tool?.advisory
      ? ['*ADVISORY:* the agent also holds a key of its own for this tool; a denial cannot stop it']
      : []),
    ...(dayMs === REAL_DAY_MS ? [] : [`*DEMO TIME:* one day lasts ${dayMs / 1_000} seconds here`]),
  ];
  return lines.length > 0 ? [context(id('warnings'), lines)] : [];
}

function buttonsOf({ action, publicUrl }: CardFacts): Button[] {
  const value = VALUE.action.encode({ id: action.id, revision: action.revision, digest: action.args_digest });
  const url = actionUrl(publicUrl, action.id);
  const open =
    url.length <= LIMITS.url && /^https?:\/\/\S+$/.test(url)
      ? [button(BUTTON.open, 'Open the page', { url })]
      : [];
  const wrong =
    (action.state === 'executed' || action.state === 'unknown') &&
    action.kind === 'write' &&
    !action.corrected_at;
  return [
    ...(action.state === 'pending'
      ? [
          button(BUTTON.approve, 'Approve', { value, style: 'primary' }),
          button(BUTTON.deny, 'Deny', { value, style: 'danger' }),
        ]
      : []),
    ...(action.state === 'denied' && action.decided_by === 'person' && !action.deny_reason
      ? [button(BUTTON.denyReason, 'Give the reason', { value })]
      : []),
    ...(wrong ? [button(BUTTON.report, 'Report a wrong write', { value, style: 'danger' })] : []),
    ...open,
  ];
}

function buttonBlocks(facts: CardFacts, id: (part: string) => string): KnownBlock[] {
  const buttons = buttonsOf(facts);
  return buttons.length > 0 ? [actions(id('buttons'), buttons)] : [];
}

const lastLine = ({ action }: CardFacts): string =>
  `Action ${action.id} · revision ${action.revision} · digest ${inline(action.args_digest, 64)} · epoch ${action.epoch}`;

/** The whole card as text, in the same order: what notifications and screen readers get. */
function textOf(facts: CardFacts, state: readonly string[]): string {
  const { action } = facts;
  const args =
    facts.args === undefined ? 'erased' : inline(argsText(facts).slice(0, 4 * TEXT_ARGS_MAX), TEXT_ARGS_MAX);
  const text = [
    `${summaryOf(facts)}${after(facts)}`,
    ...state,
    ...pairsOf(facts).map(([title, value]) => `${title}: ${value}`),
    ...(action.why ? [`The agent's reason: ${inline(action.why, 400)}`] : []),
    `Arguments: ${args}`,
    ...(action.state === 'pending'
      ? ['Answer with the buttons Approve or Deny, or on the page:']
      : ['The page:']),
    actionUrl(facts.publicUrl, action.id),
    lastLine(facts),
  ].join('\n');
  return cut(text, LIMITS.text);
}
