import { optionsOf } from './element-rules.ts';
import { isJson, type Json, jsonList, str } from './json.ts';
import type { Block } from './world.ts';

/** Anything a person can look at: a message, an ephemeral message, a modal or Home tab. */
export type Shown = { text?: string; blocks: readonly Json[]; definition?: Json };
/** An element with the block it stands in. */
export type Placed = { element: Json; block: Block };

const TITLES = ['title', 'rich_text_title', 'subtitle', 'caption', 'text', 'label', 'hint'];
const LISTS = ['fields', 'elements', 'child_blocks'];

/** All text that a person would read, one line for each piece: the blocks, or `text` when there are none. */
export function visibleText(shown: Shown): string {
  const frame = shown.definition ?? {};
  const lines = [frame.title, ...shown.blocks, frame.submit, frame.close].flatMap(linesOf);
  return (lines.length > 0 ? lines : [readable(shown.text ?? '')]).join('\n');
}

/** All interactive elements of blocks, in the order in which they are shown. */
export function elementsOf(blocks: readonly Json[]): Placed[] {
  return blocks.flatMap((block) => {
    const own = [...jsonList(block.elements), block.accessory, block.element].filter(isJson);
    const interactive = own.filter((element) => typeof element.action_id === 'string');
    const placed = interactive.map((element) => ({ element, block: block as Block }));
    return [...placed, ...elementsOf(jsonList(block.child_blocks))];
  });
}

/** The element that carries this text, or has this `action_id` or `value`. Two that fit are an error, as is none. */
export function findElement(shown: Shown, nameOrId: string): Placed {
  const all = elementsOf(shown.blocks);
  const tests: ((element: Json) => boolean)[] = [
    (element) => textOf(element.text) === nameOrId,
    (element) => element.action_id === nameOrId,
    (element) => element.value === nameOrId,
  ];
  for (const test of tests) {
    const found = all.filter(({ element }) => test(element));
    if (found.length > 1)
      throw new Error(`'${nameOrId}' stands ${found.length} times:\n${visibleText(shown)}`);
    if (found[0]) return found[0];
  }
  throw new Error(`nobody can click '${nameOrId}': it is not shown. Shown is:\n${visibleText(shown)}`);
}

/** The text of a text object as a person reads it. */
export function textOf(value: unknown): string {
  return isJson(value) ? readable(str(value.text)) : '';
}

function linesOf(value: unknown): string[] {
  if (typeof value === 'string') return value === '' ? [] : [readable(value)];
  if (Array.isArray(value)) return value.flatMap(linesOf);
  if (!isJson(value)) return [];
  if (value.type === 'image') return [textOf(value.title), str(value.alt_text)].filter((line) => line !== '');
  if (value.type === 'rich_text') return jsonList(value.elements).map(richTextOf);
  if (Array.isArray(value.rows)) return [...linesOf(value.caption), ...value.rows.map(rowOf)];
  const options = optionsOf(value).map((option) => textOf(option.text));
  const parts = [...TITLES, ...LISTS, 'accessory', 'element', 'placeholder'].flatMap((key) =>
    linesOf(value[key]),
  );
  return [...parts, ...options, ...linesOf(value.initial_value)];
}

function rowOf(row: unknown): string {
  return jsonList(row)
    .map((cell) => (cell.type === 'rich_text' ? richTextOf(cell) : String(cell.text ?? cell.value ?? '')))
    .join(' | ');
}

function richTextOf(value: Json): string {
  const own = value.text ?? value.url ?? value.user_id ?? value.name ?? '';
  return String(own) + jsonList(value.elements).map(richTextOf).join('');
}

/** Slack's markup as it is shown: entities, links and dates resolved. */
function readable(text: string): string {
  return text
    .replace(/<!date\^[^|>]*\|([^>]*)>/g, '$1')
    .replace(/<!subteam\^([^|>]*)(?:\|([^>]*))?>/g, (_, id, name) => name ?? `@${id}`)
    .replace(/<!(\w+)>/g, '@$1')
    .replace(/<[@#]([^|>]+)(?:\|([^>]*))?>/g, (_, id, name) => `@${name ?? id}`)
    .replace(/<([^|>\s]+)(?:\|([^>]*))?>/g, (_, url, label) => label ?? url)
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}
