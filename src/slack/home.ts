import type { types } from '@slack/bolt';
import type { DeputyRow } from '../approvals/deputies.ts';
import type { HomeAction, HomeFacts, Listed, QueuedAction, WaitingAction } from '../approvals/inbox.ts';
import type { StandingApprovalRow } from '../approvals/standing/store.ts';
import { BUTTON, VALUE } from '../cards/blocks/buttons.ts';
import { LIMITS } from '../cards/blocks/limits.ts';
import {
  actions,
  button,
  confirmation,
  context,
  header,
  type KnownBlock,
  section,
} from '../cards/blocks/message.ts';
import { codeOrLinked, dateText, inline, label, link } from '../cards/blocks/mrkdwn.ts';
import { openButton, spoken } from '../cards/blocks/open-button.ts';
import { scopeWords } from '../domain/scope.ts';
import { actionUrl } from '../links.ts';
import type { Copy } from '../records/copy.ts';
import { laterText } from './stops-text.ts';

export type HomeView = types.HomeView;
/** Where a posted message can be opened; `undefined`: not known now. */
export type LinkTo = (copy: Copy) => string | undefined;

const SUMMARY_MAX = 280;
const NAME_MAX = 80;
const REASON_MAX = 200;
const ENVELOPE_MAX = 400;
const AGENTS_MAX = 10;
const LISTED_MAX = 10;

const home = (blocks: KnownBlock[]): HomeView => ({
  type: 'home',
  blocks: blocks.slice(0, LIMITS.homeBlocks),
});

/** The Home tab of somebody who is a person of an agent: what waits for them, on whom others wait, what they gave. */
export const homeView = (facts: HomeFacts, linkTo: LinkTo): HomeView =>
  home([
    ...headBlocks(facts),
    ...switchBlocks(facts),
    ...queueBlocks(facts, linkTo),
    ...othersBlocks(facts, linkTo),
    ...standingBlocks(facts),
    ...deputyBlocks(facts),
  ]);

/** What stands there instead when it cannot be shown, and what to do; escaped text. */
export const homeNotice = (title: string, text: string): HomeView =>
  home([header('notice', title), section('what', text)]);

function headBlocks({ at, known }: HomeFacts): KnownBlock[] {
  const shown = known.slice(0, AGENTS_MAX);
  const more = known.length - shown.length;
  const who = shown.map(
    ({ agent, name, testMode }) =>
      `${inline(name, NAME_MAX)} of agent ${inline(agent, NAME_MAX)}${testMode ? ' (TEST MODE)' : ''}`,
  );
  return [
    context('head', [
      `You are ${who.join(', ')}${more > 0 ? ` and of ${more} more agents` : ''}. As of ${dateText(at)}`,
    ]),
  ];
}

function switchBlocks({ off, mayDisable }: HomeFacts): KnownBlock[] {
  const lines = off
    .slice(0, LISTED_MAX)
    .map(
      ({ scope, reads, actor, changed_at, reason, later }) =>
        `*OFF: ${inline(scopeWords(scope), 200)}*${reads ? ', reads too' : ''}, since ${dateText(changed_at)} by ${inline(actor, NAME_MAX)}: ${inline(reason, REASON_MAX)}${laterText(later)}`,
    );
  const more = off.length - lines.length;
  return [
    header('switch', 'The switch'),
    section(
      'state',
      [
        ...(lines.length > 0 ? lines : ['Nothing is switched off: what is granted and approved may begin.']),
        ...(more > 0 ? [`and ${more} more`] : []),
      ].join('\n'),
    ),
    ...(mayDisable
      ? [
          actions('disable', [
            button(BUTTON.homeDisable, 'Emergency disable', {
              style: 'danger',
              accessibility_label: 'Emergency disable: choose what to switch off',
            }),
          ]),
        ]
      : []),
  ];
}

function queueBlocks({ queue, at, publicUrl }: HomeFacts, linkTo: LinkTo): KnownBlock[] {
  const blocks = queue.items.map((one): KnownBlock => {
    const open = openButton('Open', actionUrl(publicUrl, one.id), one.summary);
    const block = section(`queue:${one.id}`, queuedText(one, at, linkTo));
    return open ? { ...block, accessory: open } : block;
  });
  return [
    header('queue', `Waiting for you: ${queue.items.length + queue.more}`),
    ...(blocks.length > 0 ? blocks : [section('queue-empty', 'Nothing waits for your answer.')]),
    ...restBlock('queue-rest', queue, link(`${publicUrl.replace(/\/+$/, '')}/queue`, 'all of them')),
  ];
}

function queuedText(one: QueuedAction, at: Date, linkTo: LinkTo): string {
  const facts = [
    `risk ${one.risk}`,
    ...placeOf(one),
    `asked ${agoText(one.asked_at, at)}`,
    ...(one.expires_at ? [`expires ${dateText(one.expires_at)}`] : []),
    ...(one.insteadOf === undefined ? [] : [`for ${inline(one.insteadOf, NAME_MAX)}`]),
    ...(one.here ? [] : ['approve it on the page']),
    ...cardLink(one, linkTo),
  ];
  return `*${inline(one.summary, SUMMARY_MAX)}*\n${facts.join(' · ')}`;
}

function othersBlocks({ others, at, publicUrl }: HomeFacts, linkTo: LinkTo): KnownBlock[] {
  const blocks = others.items.map((one) =>
    section(`others:${one.id}`, waitingText(one, at, publicUrl, linkTo)),
  );
  return [
    header('others', `Who is waiting on whom: ${others.items.length + others.more}`),
    ...(blocks.length > 0
      ? blocks
      : [section('others-empty', 'Nothing of your agents waits for anybody else.')]),
    ...restBlock('others-rest', others),
  ];
}

function waitingText(one: WaitingAction, at: Date, publicUrl: string, linkTo: LinkTo): string {
  const needs = one.needs.map(({ group, quorum }) => `${quorum} of ${inline(group, NAME_MAX)}`).join(' and ');
  const people = one.people.map((name) => inline(name, NAME_MAX)).join(', ') || 'nobody of it may decide';
  const facts = [
    `asked ${agoText(one.asked_at, at)}, waits for ${needs || 'nobody'} (${people})`,
    ...(one.escalated.length > 0
      ? [`escalated to ${one.escalated.map((group) => inline(group, NAME_MAX)).join(', ')}`]
      : []),
    ...(one.unreached ? ['*nobody could be told*'] : []),
    ...(one.answered ? ['you have answered'] : []),
    `risk ${one.risk}`,
    ...placeOf(one),
    ...(one.expires_at ? [`expires ${dateText(one.expires_at)}`] : []),
    ...cardLink(one, linkTo),
  ];
  return `*${link(actionUrl(publicUrl, one.id), one.summary)}*\n${facts.join(' · ')}`;
}

function standingBlocks({ standings, publicUrl }: HomeFacts): KnownBlock[] {
  const blocks = standings.items.map(
    (row): KnownBlock => ({
      ...section(`standing:${row.id}`, standingText(row, publicUrl)),
      accessory: takeBack(row),
    }),
  );
  return [
    header('standings', `Approved for a while: ${standings.items.length + standings.more}`),
    ...(blocks.length > 0
      ? blocks
      : [section('standings-empty', 'No standing approval of yours, or of an agent you own, is live.')]),
    ...restBlock('standings-rest', standings),
  ];
}

function standingText(row: StandingApprovalRow, publicUrl: string): string {
  const page = actionUrl(publicUrl, row.action_id);
  return [
    `*${inline(row.tool, NAME_MAX)}* of ${inline(row.agent, NAME_MAX)}, segment ${inline(row.segment, NAME_MAX)}, given by ${inline(row.created_by, NAME_MAX)} with ${link(page, 'this action')}`,
    `used ${row.used} of ${row.max_uses}, until ${dateText(row.expires_at)}, where`,
    codeOrLinked(row.envelope, ENVELOPE_MAX, page),
  ].join('\n');
}

const takeBack = (row: StandingApprovalRow) =>
  button(BUTTON.homeRevoke, 'Take back', {
    value: VALUE.standing.encode({ standing: row.id, agent: row.agent }),
    style: 'danger',
    accessibility_label: spoken('Take back', `${row.tool} of ${row.agent}`),
    confirm: confirmation(
      'Take it back?',
      `${label(row.tool, NAME_MAX)} of ${label(row.agent, NAME_MAX)} asks people again. What was approved by it and has not begun is void.`,
      'Take back',
    ),
  });

function deputyBlocks({ deputies }: HomeFacts): KnownBlock[] {
  const lines = deputies.slice(0, LISTED_MAX).map(deputyLine);
  const more = deputies.length - lines.length;
  return [
    header('deputies', 'Deputies'),
    section(
      'deputies-list',
      [
        ...(lines.length > 0 ? lines : ['Nobody answers for you now, and you answer for nobody else.']),
        ...(more > 0 ? [`and ${more} more`] : []),
      ].join('\n'),
    ),
  ];
}

function deputyLine({
  from,
  to,
  agent,
  grp,
  ends_at,
  reason,
}: DeputyRow & { from: string; to: string }): string {
  const where = grp === null ? '' : ` in group ${inline(grp, NAME_MAX)}`;
  return `• ${inline(to, NAME_MAX)} answers for ${inline(from, NAME_MAX)}${where} of ${inline(agent, NAME_MAX)} until ${dateText(ends_at)}: ${inline(reason, REASON_MAX)}`;
}

const placeOf = ({ agent, segment }: HomeAction): string[] => [
  `agent ${inline(agent, NAME_MAX)}`,
  ...(segment === null ? [] : [`segment ${inline(segment, NAME_MAX)}`]),
];

function cardLink({ card }: HomeAction, linkTo: LinkTo): string[] {
  const url = card && linkTo(card);
  return url === undefined ? [] : [link(url, 'its card')];
}

const restBlock = (id: string, { more }: Listed<unknown>, where?: string): KnownBlock[] =>
  more > 0 ? [context(id, [`and ${more} more${where === undefined ? '' : `: ${where}`}`])] : [];

/** "just now", "12 min ago", "3 h ago", "2 days ago". */
export function agoText(since: Date, at: Date): string {
  const minutes = Math.floor((at.getTime() - since.getTime()) / 60_000);
  if (minutes < 1) return 'just now';
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ago`;
  return `${Math.floor(hours / 24)} days ago`;
}
