import type { KnownBlock, SlackMessage } from './message.ts';

/** What a person sees of a message, as plain lines: times in UTC, links with where they lead, buttons in brackets. */
export const visibleText = ({ blocks }: Pick<SlackMessage, 'blocks'>): string =>
  blocks.flatMap(linesOf).map(readable).join('\n');

function linesOf(block: KnownBlock): string[] {
  switch (block.type) {
    case 'header':
      return [block.text.text];
    case 'section':
      return [...(block.text ? [block.text.text] : []), ...(block.fields ?? []).map(fieldLine)];
    case 'context':
      return block.elements.map((element) => ('text' in element ? element.text : ''));
    case 'actions':
      return [block.elements.flatMap(namesOf).join(' ')];
    default:
      return [];
  }
}

const fieldLine = ({ text }: { text: string }): string => text.replace('\n', ' ');

/** The names of a button or of what a menu offers. */
function namesOf(element: { type: string; text?: unknown; options?: unknown }): string[] {
  const named = [element, ...(Array.isArray(element.options) ? element.options : [])];
  return named.flatMap(({ text }) =>
    typeof text === 'object' && text !== null && 'text' in text ? [`[${text.text}]`] : [],
  );
}

/** Slack's markup as a person reads it. */
const readable = (text: string): string =>
  text
    .replace(/<!date\^[^|>]*\|([^>]*)>/g, '$1')
    .replace(/<([^|>\s]+)\|([^>]*)>/g, (_, url: string, label: string) =>
      label === url ? url : `${label} (${url})`,
    )
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
