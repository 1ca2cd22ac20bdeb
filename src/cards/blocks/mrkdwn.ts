import { spellUnseen } from '../../domain/unseen.ts';

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
/** Our own markup (theirs is escaped), an entity, or a code point. */
const TOKEN = /<[^<>]*>|&(?:amp|lt|gt);|[\s\S]/gu;
const LINE_BREAK = 10;
const TOKEN_LENGTH_MAX = 3_200;
const LOOKALIKES: Readonly<Record<string, string>> = { '*': '∗', '~': '∼', '`': 'ˋ' };
const EMOJI = /:(?=[\w+'-]*[a-z+])([\w+'-]+):/gi;

/** The three characters that Slack reads as markup. Always before cutting. */
export const escapeText = (text: string): string => text.replace(/[&<>]/g, (char) => ENTITIES[char] ?? char);

/** Spells out what cannot be seen; line breaks stay where `keepLines` says so. */
export const visible = (text: string, keepLines = false): string =>
  spellUnseen(text, (point) => (keepLines && point === LINE_BREAK ? '\n' : `\\u{${point.toString(16)}}`));

/** Cuts escaped text to `max` characters, between code points and never inside an entity or a link. */
export function cut(escaped: string, max: number): string {
  if (escaped.length <= max) return escaped;
  let kept = '';
  for (const [token] of escaped.slice(0, max + TOKEN_LENGTH_MAX).matchAll(TOKEN)) {
    if (kept.length + token.length > max - 1) break;
    kept += token;
  }
  return `${kept}…`;
}

/** Takes the formatting, emoji, mentions and quote marks out of somebody else's words. */
function plain(text: string): string {
  return text
    .replace(/[*~`]/g, (char) => LOOKALIKES[char] ?? char)
    .replace(/(?<!\w)_|_(?!\w)/g, 'ˍ')
    .replace(EMOJI, '꞉$1꞉')
    .replace(/@(?=channel|here|everyone)/gi, '＠')
    .replace(/^\s*>/, '›');
}

/** On one line. Other blanks than these are no space: they are spelled out, or two texts would look like one. */
const oneLine = (text: string): string => text.replace(/[ \t\r\n\f\v]+/g, ' ').replace(/^ | $/g, '');

/** Somebody else's words on one line, inert and escaped, at most `max` characters. */
export const inline = (text: string, max: number): string =>
  cut(escapeText(plain(visible(oneLine(text)))), max);

/** As `inline`; what does not fit is one click away. */
export function inlineOrLinked(text: string, max: number, url: string): string {
  const whole = inline(text, Number.POSITIVE_INFINITY);
  return whole.length <= max ? whole : `${cut(whole, max)} (${link(url, 'all of it')})`;
}

/** Somebody else's words for places that know no markup, such as button labels: on one line, not escaped. */
export function label(text: string, max: number): string {
  const line = plain(visible(oneLine(text))).replace(/[<>]/g, (char) => (char === '<' ? '‹' : '›'));
  return line.length <= max ? line : `${line.slice(0, max - 1).replace(/\p{Surrogate}$/u, '')}…`;
}

/** Escaped pieces of a text for code blocks of at most `size` characters, and how many characters were left out. */
export function codePieces(text: string, size: number, most: number): { pieces: string[]; left: number } {
  const shown = visible(text, true).replace(/`{3,}/g, (ticks) => 'ˋ'.repeat(ticks.length));
  const pieces: string[] = [];
  let piece = '';
  let taken = 0;
  for (const char of shown) {
    const token = ENTITIES[char] ?? char;
    if (piece.length + token.length > size) {
      const line = piece.lastIndexOf('\n');
      if (pieces.length === most - 1) break;
      const at = line > size / 2 ? line : piece.length;
      pieces.push(piece.slice(0, at));
      piece = piece.slice(at).replace(/^\n/, '');
    }
    piece += token;
    taken += char.length;
  }
  if (piece !== '') pieces.push(piece);
  return { pieces, left: [...shown.slice(taken)].length };
}

/** A text in a code block; what does not fit is counted, and one click away. */
export function codeOrLinked(text: string, max: number, url: string): string {
  const { pieces, left } = codePieces(text, max, 1);
  const more = left > 0 ? `\n*${left} more characters:* ${link(url, 'open the page')}` : '';
  return `\`\`\`\n${pieces.join('')}\n\`\`\`${more}`;
}

/** A time in the reader's own zone; the fallback is UTC. */
export function dateText(at: Date): string {
  const utc = `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  return `<!date^${Math.floor(at.getTime() / 1_000)}^{date_short_pretty} at {time}|${utc}>`;
}

/** A link that shows where it leads; anything but http(s) stays text. */
export function link(url: string, label: string): string {
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) return inline(label, 200);
  const href = new URL(url).href.replace(/[|<>]/g, encodeURIComponent).replaceAll('&', '&amp;');
  return `<${href}|${inline(label, 200).replaceAll('|', '¦')}>`;
}
