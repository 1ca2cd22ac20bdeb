import { scaleLinear, scaleLog } from 'd3-scale';
import { area, line } from 'd3-shape';
import { eValueOf } from '../../domain/evidence/eprocess.ts';
import type { SeriesDay } from '../../domain/evidence/series.ts';
import type { EvidenceView } from '../../reports/evidence.ts';
import type { ExposedSpan } from '../../reports/rollout.ts';
import { Html, html } from './html.ts';

const WIDTH = 480;
const LEFT = 56;
const RIGHT = WIDTH - 8;
const VALUE = { top: 18, bottom: 150 };
const TRIGGER = { top: 178, bottom: 268 };
const AXIS = 284;
const HEIGHT = 292;
const E_LEAST = 0.1;
const TICKS = 4;
const HEADROOM = 1.15;
/** What is higher is drawn at the edge. */
const E_MOST = 1e20;

/** What is marked on every chart of a rollout, in days since its start. */
export interface Marks {
  /** The last day that is shown. */
  toDay: number;
  /** When a step was entered. */
  steps: readonly number[];
  builds: readonly { version: string; fromDay: number }[];
}

/**
 * One guardrail in one segment: above, the share of harm with both bounds and its limit, or the mean of a sum; below, E of the trigger against
 * what it must reach, on a log axis. Told apart by line and dash, not by colour, and the same bytes each time.
 */
export function evidenceChart(view: EvidenceView, marks: Marks): Html {
  const days = view.processes.flatMap((process) => process.days);
  const x = scaleLinear([0, Math.max(1, marks.toDay)], [LEFT, RIGHT]);
  const most = Math.max(view.limit, ...days.map(({ value }) => value ?? 0)) * HEADROOM;
  const y = scaleLinear([0, view.isSum ? most : Math.min(1, most * 2)], [VALUE.bottom, VALUE.top]).clamp(
    true,
  );
  const said = (value: number): string => (view.isSum ? String(round(value)) : `${round(value * 100)} %`);
  const shownE = ({ logE }: SeriesDay): number => Math.min(eValueOf(logE), E_MOST);
  const highest = Math.max(view.trigger ?? 1, ...days.map(shownE));
  const e = scaleLog([E_LEAST, highest * 2], [TRIGGER.bottom, TRIGGER.top]).clamp(true);
  /** The middle of a day, or where the process ended within it. */
  const abscissa =
    (firedOnDay: number | null) =>
    ({ day }: SeriesDay): number =>
      x(Math.min(day + 0.5, firedOnDay ?? marks.toDay));
  const label = `${view.metric} in ${view.segment}: ${view.verdict}`;
  return html`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${label}" class="chart">
<title>${label}</title>
${marksPart(marks, x)}
${y.ticks(TICKS).map((tick) => tickPart(y(tick), said(tick)))}
${view.processes.map(({ days: own, firedOnDay }) => [
  shape(
    'band',
    area<SeriesDay>()
      .x(abscissa(firedOnDay))
      .defined(({ lower }) => lower !== null)
      .y0(({ lower }) => y(lower ?? 0))
      .y1(({ upper }) => y(upper ?? 0))
      .digits(1)(own),
  ),
  shape(
    'value',
    line<SeriesDay>()
      .defined(({ value }) => value !== null)
      .x(abscissa(firedOnDay))
      .y(({ value }) => y(value ?? 0))
      .digits(1)(own),
  ),
  shape(
    'e-value',
    line<SeriesDay>()
      .x(abscissa(firedOnDay))
      .y((one) => e(shownE(one)))
      .digits(1)(own),
  ),
])}
${across('limit', y(view.limit), `limit ${said(view.limit)}`)}
${e
  .ticks(TICKS)
  .filter((tick) => Number.isInteger(Math.log10(tick)))
  .map((tick) => tickPart(e(tick), String(tick)))}
${view.trigger !== null && across('limit', e(view.trigger), `takes back at E = ${round(view.trigger)}`)}
${view.breaches.map(({ day }) => breachPart(x(day)))}
${dayTicks(marks, x)}
</svg>`;
}

/** How far each segment was exposed, over the days. */
export function exposureChart(spans: readonly ExposedSpan[], segment: string, marks: Marks): Html {
  const x = scaleLinear([0, Math.max(1, marks.toDay)], [LEFT, RIGHT]);
  const y = scaleLinear([0, 100], [60, 10]);
  const bars = spans.map(({ fromDay, toDay, percent }) => {
    const width = Math.max(1, x(toDay) - x(fromDay));
    return html`<rect class="exposed" x="${round(x(fromDay))}" y="${round(y(percent))}" width="${round(width)}" height="${round(60 - y(percent))}"></rect>`;
  });
  return html`<svg viewBox="0 0 ${WIDTH} 84" role="img" aria-label="exposure of ${segment}" class="chart">
<title>exposure of ${segment}</title>
${[0, 50, 100].map((tick) => tickPart(y(tick), `${tick} %`))}
${bars}
${dayTicks(marks, x, 76)}
</svg>`;
}

type Scale = (value: number) => number;

const round = (value: number): number => Number(value.toPrecision(4));

const shape = (name: string, path: string | null): Html | undefined =>
  path === null ? undefined : html`<path class="${name}" d="${new Html(path)}"></path>`;

const tickPart = (y: number, text: string): Html =>
  html`<line class="grid" x1="${LEFT}" x2="${RIGHT}" y1="${round(y)}" y2="${round(y)}"></line>
<text x="${LEFT - 4}" y="${round(y + 4)}" text-anchor="end">${text}</text>`;

const across = (name: string, y: number, text: string): Html =>
  html`<line class="${name}" x1="${LEFT}" x2="${RIGHT}" y1="${round(y)}" y2="${round(y)}"></line>
<text x="${RIGHT}" y="${round(y - 4)}" text-anchor="end">${text}</text>`;

const upright = (name: string, x: number): Html =>
  html`<line class="${name}" x1="${round(x)}" x2="${round(x)}" y1="${VALUE.top}" y2="${TRIGGER.bottom}"></line>`;

const breachPart = (x: number): Html => html`${upright('breach', x)}
<text class="strong" x="${round(Math.min(x, RIGHT - 30))}" y="12" text-anchor="middle">breach</text>`;

const marksPart = ({ steps, builds }: Marks, x: Scale): Html[] => [
  ...steps.map((day) => upright('step', x(day))),
  ...builds.slice(1).map(
    ({ fromDay, version }) => html`${upright('build', x(fromDay))}
<text x="${round(x(fromDay) + 3)}" y="${VALUE.top + 8}">${version.slice(0, 16)}</text>`,
  ),
];

function dayTicks({ toDay }: Marks, x: Scale, at = AXIS): Html {
  const last = Math.max(1, Math.round(toDay));
  const days = [...new Set([0, Math.round(last / 3), Math.round((2 * last) / 3), last])];
  return html`${days.map((day) => {
    const anchor = day === 0 ? 'start' : day === last ? 'end' : 'middle';
    return html`<text x="${round(x(Math.min(day, Math.max(1, toDay))))}" y="${at}" text-anchor="${anchor}">day ${day}</text>`;
  })}`;
}
