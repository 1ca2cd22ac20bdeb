import type { types } from '@slack/bolt';
import { LIMITS } from './limits.ts';
import { cut } from './mrkdwn.ts';

export type KnownBlock = types.KnownBlock;
export type Button = types.Button;
export type Overflow = types.Overflow;

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

/** A heading in large letters; plain text. */
export const header = (blockId: string, text: string): types.HeaderBlock => ({
  type: 'header',
  block_id: blockId,
  text: plainText(text, LIMITS.headerText),
});

export const actions = (blockId: string, elements: (Button | Overflow)[]): types.ActionsBlock => ({
  type: 'actions',
  block_id: blockId,
  elements,
});

export const button = (
  actionId: string,
  label: string,
  more: Partial<Pick<Button, 'value' | 'style' | 'url' | 'confirm' | 'accessibility_label'>> = {},
): Button => ({
  type: 'button',
  action_id: actionId,
  text: plainText(label, LIMITS.buttonText),
  ...more,
});

/** A menu behind "…". */
export const overflow = (
  actionId: string,
  options: readonly { text: string; value: string }[],
): Overflow => ({
  type: 'overflow',
  action_id: actionId,
  options: options.map(({ text, value }) => ({ text: plainText(text, LIMITS.optionText), value })),
});

/** Asks again before a button counts; plain text. */
export const confirmation = (title: string, text: string, confirm: string): types.ConfirmationDialog => ({
  title: plainText(title, LIMITS.confirmTitle),
  text: plainText(text, LIMITS.confirmText),
  confirm: plainText(confirm, LIMITS.confirmButton),
  deny: plainText('Cancel', LIMITS.confirmButton),
});

const plainText = (text: string, max: number): types.PlainTextElement => ({
  type: 'plain_text',
  text: cut(text, max),
});

/** The same message in the plainest blocks there are: for a Slack that refuses the rich ones. */
export const plainBlocks = ({ text, blocks }: SlackMessage): KnownBlock[] => [
  ...linesIn(text, LIMITS.sectionText).map((piece): KnownBlock => ({ type: 'section', text: mrkdwn(piece) })),
  ...blocks.filter((block) => block.type === 'actions'),
];

/** Escaped text in pieces of at most `max` characters, parted between lines; a line that is longer is cut. */
export function linesIn(text: string, max: number): string[] {
  const pieces: string[] = [];
  for (const line of text.split('\n')) {
    const last = pieces.at(-1);
    if (last !== undefined && last.length + 1 + line.length <= max)
      pieces[pieces.length - 1] = `${last}\n${line}`;
    else if (line !== '') pieces.push(cut(line, max));
  }
  return pieces;
}
