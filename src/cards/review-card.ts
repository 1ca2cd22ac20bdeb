import type { ReviewPage } from '../domain/review/page-form.ts';
import { BUTTON, VALUE } from './blocks/buttons.ts';
import { LIMITS } from './blocks/limits.ts';
import {
  actions,
  button,
  context,
  header,
  type KnownBlock,
  type SlackMessage,
  section,
} from './blocks/message.ts';
import { cut, inline, link } from './blocks/mrkdwn.ts';

const LINE_MAX = 300;
const ROWS_MAX = 6;
const SECTION_MAX = 2_800;

/**
 * The page of a week for a channel: what needs people first, each part short, and buttons that say it was read, or
 * what somebody has to say of it.
 */
export function reviewCard(page: ReviewPage, publicUrl: string, agents: readonly string[]): SlackMessage {
  const { week, title, quiet, sections } = page;
  const url = `${publicUrl}/reviews/${encodeURIComponent(week)}`;
  const parts = sections.map(({ title: name, lines, table }) =>
    [
      `*${inline(name, LINE_MAX)}*`,
      ...lines.map(({ text }) => `• ${inline(text, LINE_MAX)}`),
      ...(table?.rows.slice(0, ROWS_MAX) ?? []).map(
        ({ cells, colour }) => `• ${colour ? `*${colour}*: ` : ''}${inline(cells.join(' · '), LINE_MAX)}`,
      ),
    ].join('\n'),
  );
  const blocks: KnownBlock[] = [
    header('title', `${title}: ${agents.join(', ')}`),
    ...(quiet === null ? [] : [section('quiet', inline(quiet, LINE_MAX))]),
    ...parts.map((text, index) => section(`part${index}`, cut(text, SECTION_MAX))),
    actions('buttons', [
      button(BUTTON.reviewRead, 'I have read it', { value: VALUE.review.encode({ week }), style: 'primary' }),
      button(BUTTON.reviewComment, 'Comment', { value: VALUE.review.encode({ week }) }),
    ]),
    context('last', [link(url, 'Open the page, with its charts')]),
  ];
  const text = [title, ...(quiet === null ? [] : [inline(quiet, LINE_MAX)]), ...parts, url].join('\n');
  return { text: cut(text, LIMITS.text), blocks };
}
