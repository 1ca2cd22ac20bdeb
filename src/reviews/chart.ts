import { scaleLinear } from 'd3-scale';
import { line } from 'd3-shape';
import { escapeMarkup } from '../domain/markup.ts';
import { type Cell, type CellMark, type CellWeek, CHART_WEEKS } from '../domain/review/weekly.ts';

export const CHART = { width: 300, height: 132 } as const;
const LEFT = 46;
const RIGHT = CHART.width - 8;
const TOP = 34;
const BOTTOM = 108;
const HEADROOM = 1.2;
const DIGITS = 1;
const MARK_HALF = 5;

interface Point {
  index: number;
  share: number;
}

/**
 * Thirteen weeks of one guardrail in one segment: the share of harm, its limit dashed, the locked baseline as a band; grey
 * where not everything is old enough to be known; marks where the segment was released and taken back. One form for all, and the same bytes each time.
 */
export function weekChart(cell: Cell): string {
  const { limit, baseline, weeks, verdict, metric, segment, agent } = cell;
  const points = weeks.flatMap((one, index): Point[] =>
    one.known > 0 ? [{ index, share: one.harms / one.known }] : [],
  );
  const highest = Math.max(limit ?? 0, baseline?.upper ?? 0, ...points.map(({ share }) => share), 0.01);
  const most = Math.min(1, highest * HEADROOM);
  const x = scaleLinear([0, CHART_WEEKS - 1], [LEFT, RIGHT]);
  const y = scaleLinear([0, most], [BOTTOM, TOP]).clamp(true);
  const path = line<Point>()
    .x(({ index }) => x(index))
    .y(({ share }) => y(share))
    .digits(DIGITS)(points);
  const label = `${metric} in ${segment} of ${agent}: ${verdict}`;
  const marked = marksIn(weeks);
  const firstYoung = weeks.findIndex(({ mature }) => !mature);
  return `<svg viewBox="0 0 ${CHART.width} ${CHART.height}" width="${CHART.width}" height="${CHART.height}" role="img" aria-label="${escapeMarkup(label)}" class="chart week" xmlns="http://www.w3.org/2000/svg"><title>${escapeMarkup(label)}</title>
<text class="strong" x="4" y="13">${escapeMarkup(cut(`${metric} in ${segment}`))}</text>
<text x="4" y="27">${escapeMarkup(cut(`${agent}: ${verdict}`))}</text>
${firstYoung < 0 ? '' : `<rect class="young" x="${at(x(Math.max(0, firstYoung - 0.5)))}" y="${TOP}" width="${at(RIGHT - x(Math.max(0, firstYoung - 0.5)))}" height="${BOTTOM - TOP}"></rect>`}
${baseline ? `<rect class="band" x="${LEFT}" y="${at(y(baseline.upper))}" width="${RIGHT - LEFT}" height="${at(Math.max(1, BOTTOM - y(baseline.upper)))}"></rect>` : ''}
<line class="grid" x1="${LEFT}" x2="${RIGHT}" y1="${BOTTOM}" y2="${BOTTOM}"></line>
<text x="${LEFT - 4}" y="${BOTTOM}" text-anchor="end">0</text>
<text x="${LEFT - 4}" y="${TOP + 8}" text-anchor="end">${percent(most)}</text>
${limit === null ? '' : `<line class="limit" x1="${LEFT}" x2="${RIGHT}" y1="${at(y(limit))}" y2="${at(y(limit))}"></line>`}
${marked.map(({ index }) => `<line class="grid" x1="${at(x(index))}" x2="${at(x(index))}" y1="${TOP}" y2="${BOTTOM}"></line>`).join('')}
${path === null ? '' : `<path class="value" d="${path}"></path>`}
${points.map(({ index, share }) => `<circle class="dot" cx="${at(x(index))}" cy="${at(y(share))}" r="2"></circle>`).join('')}
${marked.map(({ index, mark, beside }) => markAt(x(index) + beside, mark)).join('')}
<text x="${LEFT}" y="${BOTTOM + 16}">${escapeMarkup(short(weeks[0]))}</text>
<text x="${RIGHT}" y="${BOTTOM + 16}" text-anchor="end">${escapeMarkup(short(weeks.at(-1)))}</text>
</svg>`;
}

interface Marked {
  index: number;
  mark: CellMark;
  /** How far from the middle of its week: two of one week stand beside each other. */
  beside: number;
}

const marksIn = (weeks: readonly CellWeek[]): Marked[] =>
  weeks.flatMap(({ marks = [] }, index) =>
    marks.map((mark, nth) => ({ index, mark, beside: (nth - (marks.length - 1) / 2) * 2 * MARK_HALF })),
  );

/** A triangle where it was released, a cross where it was taken back; told apart without colour, and whole at the edges. */
function markAt(middle: number, mark: CellMark): string {
  const x = Math.min(middle, CHART.width - MARK_HALF);
  const [left, right] = [at(x - 4), at(x + 4)];
  return mark === 'released'
    ? `<path class="mark" d="M${left} ${TOP}H${right}L${at(x)} ${TOP + 7}Z"></path>`
    : `<path class="mark back" d="M${left} ${TOP}L${right} ${TOP + 8}M${right} ${TOP}L${left} ${TOP + 8}"></path>`;
}

const TEXT_MAX = 38;
const cut = (text: string): string => (text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX - 1)}…` : text);
const at = (value: number): string => String(Number(value.toFixed(DIGITS)));
const short = (week: CellWeek | undefined): string => week?.week.slice(5) ?? '';
const percent = (share: number): string => `${Number((share * 100).toPrecision(2))} %`;

const COLUMNS = 2;
const GAP = 16;
/** Colours of the picture, which knows no style sheet and no scheme. */
const SHEET_STYLE = `svg text{font:12px "DejaVu Sans";fill:#57606a}svg text.strong{fill:#1b1f24}.grid{stroke:#d0d7de}.band{fill:#d0d7de;opacity:.6}.young{fill:#eef0f2}.value{fill:none;stroke:#1b1f24;stroke-width:2}.dot{fill:#1b1f24}.mark{fill:#1b1f24}.back{stroke:#1b1f24;stroke-width:2}.limit{stroke:#a40e26;stroke-dasharray:7 4;stroke-width:1.5}`;

/** All charts of a page in one picture; `undefined` where nothing is drawn. */
export function chartSheet(cells: readonly Cell[]): string | undefined {
  if (cells.length === 0) return undefined;
  const rows = Math.ceil(cells.length / COLUMNS);
  const width = COLUMNS * CHART.width + (COLUMNS + 1) * GAP;
  const height = rows * CHART.height + (rows + 1) * GAP;
  const placed = cells.map((cell, index) => {
    const x = GAP + (index % COLUMNS) * (CHART.width + GAP);
    const y = GAP + Math.floor(index / COLUMNS) * (CHART.height + GAP);
    return weekChart(cell).replace('<svg ', `<svg x="${x}" y="${y}" `);
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"><style>${SHEET_STYLE}</style><rect width="${width}" height="${height}" fill="#ffffff"></rect>${placed.join('')}</svg>`;
}
