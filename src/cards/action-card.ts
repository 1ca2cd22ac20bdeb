import { actionUrl } from '../links.ts';
import { buttonsOf, whyNotHere } from './action-buttons.ts';
import { editLines, likeLines } from './action-changes.ts';
import { actionFacts, nameOf, namesOf, stateLines } from './action-state.ts';
import { LIMITS } from './blocks/limits.ts';
import {
  actions,
  context,
  fields,
  header,
  type KnownBlock,
  type SlackMessage,
  section,
} from './blocks/message.ts';
import { codeOrLinked, codePieces, cut, dateText, inline, inlineOrLinked, link } from './blocks/mrkdwn.ts';
import type { CardFacts } from './card-facts.ts';
import { deniedLines } from './denied-lines.ts';
import { standingParts } from './standing-approval-lines.ts';

const SUMMARY_MAX = 600;
const CONSEQUENCE_MAX = 500;
const WHY_MAX = 1_200;
const PIECE_MAX = 2_900;
const PIECES_MAX = 3;
const LINKS_MAX = 5;
const LINK_LENGTH_MAX = 300;
const ENVELOPE_MAX = 2_400;
const TEXT_ARGS_MAX = 900;
const TEXT_ENVELOPE_MAX = 300;
const REAL_DAY_MS = 86_400_000;
const GLASS = 'EMERGENCY: approved by one person alone';

type Id = (part: string) => string;

/** The card of an action: a function of its record alone, the same on every copy. */
export function actionCard(facts: CardFacts): SlackMessage {
  const { action } = facts;
  const id: Id = (part) => `${part}:${action.id.slice(-12)}:${action.card_version}`;
  const { decision, execution } = actionFacts(facts);
  const state = [`*Decision:* ${decision}`, `*Execution:* ${execution}`, ...stateLines(facts)];
  const notHere = whyNotHere(facts);
  const buttons = buttonsOf(facts);
  const blocks: KnownBlock[] = [
    ...(action.break_glass ? [header(id('glass'), GLASS)] : []),
    section(id('first'), `*${summaryOf(facts)}*${after(facts)}`),
    section(id('state'), state.join('\n')),
    ...linesBlock(id('denied'), deniedLines(facts)),
    fields(id('facts'), pairsOf(facts)),
    ...whyBlocks(facts, id),
    ...linesBlock(id('edits'), editLines(facts)),
    ...linesBlock(id('like'), likeLines(facts)),
    ...argBlocks(facts, id),
    ...linkBlocks(facts, id),
    ...standingBlocks(facts, id),
    ...warningBlocks(facts, id),
    ...(notHere ? [context(id('nothere'), [notHere])] : []),
    ...(buttons.length > 0 ? [actions(id('buttons'), buttons)] : []),
    context(id('last'), [lastLine(facts)]),
  ];
  return { text: textOf(facts, state), blocks };
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
  const behind = behindOf(facts);
  return [
    ['Agent', `${inline(action.agent, 80)}, version ${inline(action.agent_version, 80)}`],
    ['Tool', `${inline(action.tool, 80)}${tool ? '' : ': no longer in the manifest'}`],
    ['Risk of this call', action.risk],
    [
      'Can it be undone',
      `${tool?.reversibility ?? 'unknown'}${tool?.undo ? `: ${inline(tool.undo, 400)}` : ''}`,
    ],
    ['Segment and phase', placeOf(facts)],
    ['Asked', `${dateText(action.asked_at)} by ${nameOf(facts, action.asked_by)}`],
    ...(behind ? [['Who is behind it', behind] as [string, string]] : []),
  ];
}

/** Whoever nobody can tell who it is stands first, with what that means: it may be the very person who reads this. */
function behindOf(facts: CardFacts): string {
  const { action, strangers } = facts;
  const known = action.behind.filter((named) => !strangers.includes(named));
  const doubt = namesOf({ names: {}, lent: {} }, strangers);
  return [
    ...(doubt ? [`:warning: ${doubt}: *nobody of this agent. Do not approve if it may be you*`] : []),
    ...(known.length > 0 ? [namesOf({ ...facts, lent: {} }, known)] : []),
  ].join(', ');
}

function placeOf({ action }: CardFacts): string {
  const { segment, release, arm, phase, event_day } = action;
  if (segment === null) return 'none';
  const day = event_day === null ? '' : `, day ${event_day + 1}`;
  return [
    `${inline(segment, 80)}, release ${inline(release ?? 'none', 80)}, ${arm} arm`,
    ...(phase === null ? [] : [`, ${inline(phase, 40)} phase${day}`]),
  ].join('');
}

/** Whoever reads it must know that this is a claim, and whose. */
function whyBlocks(facts: CardFacts, id: Id): KnownBlock[] {
  const { why, id: action } = facts.action;
  if (!why) return [];
  const said = inlineOrLinked(why, WHY_MAX, actionUrl(facts.publicUrl, action));
  return [section(id('why'), `*Why, in the agent's own words*\n>${said}`)];
}

const linesBlock = (id: string, lines: readonly string[]): KnownBlock[] =>
  lines.length > 0 ? [section(id, lines.join('\n'))] : [];

const argsText = ({ args }: CardFacts): string => (args === undefined ? '' : JSON.stringify(args, null, 2));

function argBlocks(facts: CardFacts, id: Id): KnownBlock[] {
  if (facts.args === undefined) return [section(id('args'), '*Arguments*\nErased')];
  const { pieces, left } = codePieces(argsText(facts), PIECE_MAX, PIECES_MAX);
  const blocks: KnownBlock[] = pieces.map((piece, index) =>
    section(id(`args${index}`), `${index === 0 ? '*Arguments*\n' : ''}\`\`\`\n${piece}\n\`\`\``),
  );
  if (left === 0) return blocks;
  const page = actionUrl(facts.publicUrl, facts.action.id);
  return [...blocks, section(id('more'), `*${left} more characters:* ${link(page, 'open the page')}`)];
}

function linkBlocks({ action }: CardFacts, id: Id): KnownBlock[] {
  if (action.links.length === 0) return [];
  const shown = action.links
    .slice(0, LINKS_MAX)
    .map((url) => (url.length > LINK_LENGTH_MAX ? inline(url, 120) : link(url, url)));
  const more = action.links.length - shown.length;
  return [
    context(id('links'), [`The agent points to ${shown.join(' , ')}${more > 0 ? ` and ${more} more` : ''}`]),
  ];
}

const standingBlocks = (facts: CardFacts, id: Id): KnownBlock[] =>
  standingParts(facts).map(({ head, envelope }, index) => {
    const code = codeOrLinked(envelope, ENVELOPE_MAX, actionUrl(facts.publicUrl, facts.action.id));
    return section(id(`standing${index}`), `${head}\n${code}`);
  });

function warningBlocks({ tool, testMode, dayMs }: CardFacts, id: Id): KnownBlock[] {
  const lines = [
    ...(testMode ? ['*TEST MODE:* owners of the agent may approve. Never for production'] : []),
    ...(tool?.advisory
      ? ['*ADVISORY:* the agent also holds a key of its own for this tool; a denial cannot stop it']
      : []),
    ...(dayMs === REAL_DAY_MS ? [] : [`*DEMO TIME:* one day lasts ${dayMs / 1_000} seconds here`]),
  ];
  return lines.length > 0 ? [context(id('warnings'), lines)] : [];
}

const lastLine = ({ action }: CardFacts): string =>
  [
    `Action ${action.id}`,
    `revision ${action.revision}`,
    `digest ${inline(action.args_digest, 64)}`,
    `epoch ${action.epoch}`,
  ].join(' · ');

/** The whole card as text, in the same order: what notifications and screen readers get. How to answer is never cut. */
function textOf(facts: CardFacts, state: readonly string[]): string {
  const { action } = facts;
  const args =
    facts.args === undefined ? 'erased' : inline(argsText(facts).slice(0, 4 * TEXT_ARGS_MAX), TEXT_ARGS_MAX);
  const head = [
    `${action.break_glass ? `${GLASS}. ` : ''}${summaryOf(facts)}${after(facts)}`,
    ...state.map(unmarked),
    ...deniedLines(facts).map(unmarked),
    ...pairsOf(facts).map(([title, value]) => `${title}: ${value}`),
    ...(action.why ? [`Why, in the agent's own words: ${inline(action.why, 400)}`] : []),
    ...[...editLines(facts), ...likeLines(facts)].map(unmarked),
    `Arguments: ${args}`,
    ...standingParts(facts).map(
      ({ head: text, envelope }) => `${unmarked(text)} ${inline(envelope, TEXT_ENVELOPE_MAX)}`,
    ),
  ].join('\n');
  const tail = [
    ...(action.state === 'pending'
      ? [unmarked(whyNotHere(facts) ?? 'Answer with the buttons Approve or Deny, or on the page:')]
      : ['The page:']),
    actionUrl(facts.publicUrl, action.id),
    lastLine(facts),
  ].join('\n');
  return `${cut(head, LIMITS.text - tail.length - 1)}\n${tail}`;
}

/** Without bold type, which a screen reader would spell out; in others' words there is none. */
const unmarked = (line: string): string => line.replaceAll('*', '');

export { actionUrl } from '../links.ts';
