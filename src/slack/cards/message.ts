import type { types } from '@slack/bolt';
import { LIMITS } from '../limits.ts';
import { cut } from '../mrkdwn.ts';

export type KnownBlock = types.KnownBlock;
export type Button = types.Button;

/** What is posted: the blocks, and the whole of it again as text for notifications and screen readers. */
export interface SlackMessage {
  text: string;
  blocks: KnownBlock[];
}

/** Escaped text; `verbatim` keeps Slack from linking what is only text. */
export const mrkdwn = (text: string, max: number = LIMITS.sectionText): types.MrkdwnElement => ({
  type: 'mrkdwn',
  text: cut(text, max),
  verbatim: true,
});

export const section = (blockId: string, text: string): types.SectionBlock => ({
  type: 'section',
  block_id: blockId,
  text: mrkdwn(text),
  expand: true,
});

/** Pairs of a title and a text, two beside each other. */
export const fields = (
  blockId: string,
  pairs: readonly (readonly [string, string])[],
): types.SectionBlock => ({
  type: 'section',
  block_id: blockId,
  fields: pairs.map(([title, text]) => mrkdwn(`*${title}*\n${text}`, LIMITS.fieldText)),
});

export const context = (blockId: string, lines: readonly string[]): types.ContextBlock => ({
  type: 'context',
  block_id: blockId,
  elements: lines.map((line) => mrkdwn(line)),
});

export const actions = (blockId: string, elements: Button[]): types.ActionsBlock => ({
  type: 'actions',
  block_id: blockId,
  elements,
});

export const button = (
  actionId: string,
  label: string,
  more: Partial<Pick<Button, 'value' | 'style' | 'url' | 'confirm'>> = {},
): Button => ({
  type: 'button',
  action_id: actionId,
  text: { type: 'plain_text', text: cut(label, LIMITS.buttonText) },
  ...more,
});

/** The same message in the plainest blocks there are: for a Slack that refuses the rich ones. */
export const plainBlocks = ({ text, blocks }: SlackMessage): KnownBlock[] => [
  { type: 'section', text: mrkdwn(text) },
  ...blocks.filter((block) => block.type === 'actions'),
];
