import { escapeMarkup } from '../markup.ts';
import { spellUnseen } from '../unseen.ts';
import { type Lane, lanesOf } from './lanes.ts';
import { COLUMNS } from './stages.ts';
import { begunText, cut, decidedText, doneText, figureText, headText, momentText } from './text.ts';
import type { StageView, SystemView } from './view.ts';

const WIDTH = 1240;
const COLUMN = 300;
const GAP = 12;
const LEFT = 2;
const CARDS_TOP = 72;
const CARD = { height: 82, gap: 10, most: 5 };
const LANES_TOP = CARDS_TOP + CARD.most * (CARD.height + CARD.gap) + 34;
const LANE = 27;
const LEGEND = 46;
const NAME_CHARS = 38;
const LINE_CHARS = 43;

export interface DrawOptions {
  /** Also what had nothing in the window; its place is free otherwise. */
  idle?: boolean | undefined;
}

/**
 * The four columns with a card per stage and a line per tool, in SVG. Everything has its place, whatever happened; told
 * apart by line and words, not by colour. The same view is the same bytes.
 */
export function drawSystem(view: SystemView, { idle = false }: DrawOptions = {}): string {
  const lanes = lanesOf(view);
  const grouped = lanes.length !== view.tools.length;
  const legendY = LANES_TOP + lanes.length * LANE + 16;
  const height = legendY + LEGEND;
  const label = escaped(`The system: ${headText(view)}`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${label}" class="system" font-family="system-ui, sans-serif" font-size="13" fill="${INK}">
<title>${label}</title>
<defs><pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="ink" width="3" height="7" fill="${INK}"/></pattern></defs>
<rect class="paper" width="${WIDTH}" height="${height}" fill="#fff"/>
${text(LEFT, 20, headText(view), 'strong')}
${text(LEFT, 40, view.notes.length > 0 ? cut(`Note: ${view.notes.join('. ')}`, 180) : 'Drawn from records only')}
${COLUMNS.map((column, at) => columnPart(view, column, at)).join('\n')}
${text(LEFT, LANES_TOP - 12, grouped ? `${view.tools.length} tools, by risk` : 'Tools', 'strong')}
${lanes.map((lane, at) => lanePart(lane, LANES_TOP + at * LANE, idle || grouped)).join('\n')}
${legendPart(legendY)}
</svg>
`;
}

const INK = '#1b1f24';
const SOFT = '#57606a';

const xOf = (column: number): number => LEFT + column * (COLUMN + GAP);

function columnPart(view: SystemView, column: string, at: number): string {
  const cards = view.stages.filter((stage) => stage.column === column);
  const arrow = at === 0 ? '' : text(xOf(at) - GAP, 62, '→', 'soft');
  return `${text(xOf(at) + 2, 62, column.toUpperCase(), 'strong')}${arrow}
${cards.map((stage, n) => cardPart(stage, xOf(at), CARDS_TOP + n * (CARD.height + CARD.gap))).join('\n')}`;
}

function cardPart(stage: StageView, x: number, y: number): string {
  const { title, figures, nodes, lit, failed, lookAt } = stage;
  const kind = failed ? 'card failed' : lit ? 'card lit' : 'card';
  const stroke = failed || lit ? `stroke="${INK}" stroke-width="${failed ? 4 : 2.5}"` : `stroke="${SOFT}"`;
  const dash = failed ? ' stroke-dasharray="12 4"' : '';
  const mark = failed ? 'FAILED HERE' : lit ? 'on the path' : '';
  const seen = figures.lastSeen === null ? '' : `last ${momentText(figures.lastSeen).slice(11)} · `;
  const named = nodes.map(
    ({ name, detail, events }) => `${name}${detail ? ` (${detail})` : events > 0 ? ` ${events}` : ''}`,
  );
  return `<g class="${kind}"><title>${escaped(`${title}: ${stage.boundary}. ${lookAt.doc}, ${lookAt.test}`)}</title>
<rect x="${x}" y="${y}" width="${COLUMN}" height="${CARD.height}" rx="4" fill="none" ${stroke}${dash}/>
${text(x + 8, y + 18, title, 'strong')}${mark === '' ? '' : text(x + COLUMN - 8, y + 18, mark, 'strong', 'end')}
${text(x + 8, y + 37, cut(figureText(figures), LINE_CHARS))}
${text(x + 8, y + 55, cut(`${seen}owner: ${stage.owner}`, LINE_CHARS), 'soft')}
${text(x + 8, y + 72, cut(named.join(', '), LINE_CHARS), 'soft')}
</g>`;
}

function lanePart({ name, line, tool, lit }: Lane, y: number, idle: boolean): string {
  if (line === 'idle' && !idle && !lit) return '';
  const words = [name, decidedText(tool), begunText(tool), doneText(tool)];
  const texts = words.map((one, at) =>
    text(xOf(at) + 8, y + 12, cut(one, NAME_CHARS), at === 0 ? 'strong' : ''),
  );
  const mark = lit ? text(xOf(1) - 16, y + 12, '◀ path', 'strong', 'end') : '';
  return `<g class="lane ${line}${lit ? ' lit' : ''}"><title>${escaped(`${name}: ${line}. ${tool.outside}`)}</title>
${texts.join('')}${mark}
${linePart(line, y + 18, xOf(0), xOf(3) + COLUMN)}
</g>`;
}

/** Solid is enforced, hatched advisory, dashed seen outside, thin idle. */
function linePart(line: Lane['line'], y: number, from: number, to: number): string {
  const width = to - from;
  if (line === 'advisory')
    return `<rect class="hatched" x="${from}" y="${y - 2}" width="${width}" height="6" fill="url(#hatch)"/>`;
  const drawn = {
    enforced: `class="solid" stroke="${INK}" stroke-width="2.5"`,
    outside: 'class="dashed" stroke="#a40e26" stroke-width="4" stroke-dasharray="14 8"',
    idle: `class="thin" stroke="${SOFT}" stroke-width="0.8"`,
  }[line];
  return `<line x1="${from}" x2="${to}" y1="${y + 1}" y2="${y + 1}" ${drawn}/>`;
}

const LEGENDS = [
  ['enforced', 'enforced: none without a begin'],
  ['advisory', 'advisory: the agent holds a key too'],
  ['outside', 'seen upstream without a begin'],
  ['idle', 'nothing in the window'],
] as const;

const legendPart = (y: number): string =>
  LEGENDS.map(
    ([line, words], at) =>
      `${linePart(line, y + 8, xOf(at) + 2, xOf(at) + 50)}${text(xOf(at) + 58, y + 13, words, 'soft')}`,
  ).join('\n');

function text(x: number, y: number, words: string, kind = '', anchor = ''): string {
  const weight = kind === 'strong' ? ' class="strong" font-weight="600"' : '';
  const soft = kind === 'soft' ? ` class="soft" fill="${SOFT}"` : '';
  const end = anchor === '' ? '' : ` text-anchor="${anchor}"`;
  return `<text x="${x}" y="${y}"${weight}${soft}${end}>${escaped(words)}</text>`;
}

/** What came from elsewhere is text and nothing else; what cannot be seen is spelled out. */
const escaped = (words: string): string =>
  escapeMarkup(spellUnseen(words, (codePoint) => `\\u{${codePoint.toString(16)}}`));
