import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { evidenceChart } from '../../src/api/pages/evidence-chart.ts';
import { STYLE } from '../../src/api/pages/style.ts';
import { randomFrom } from '../../src/domain/evidence/forecast.ts';
import { seriesOf } from '../../src/domain/evidence/series.ts';

const SVG = fileURLToPath(new URL('../../docs/evidence.svg', import.meta.url));
const ALPHA = 0.05;
const WEIGHT = 0.4 / 4;
const LIMIT = 0.05;

/** Twelve conversations a day; from day 40 on three in ten go wrong. */
function history() {
  const random = randomFrom(20261130);
  return Array.from({ length: 60 }, (_, day) => {
    const rate = day < 40 ? 0.02 : 0.3;
    const harms = Array.from({ length: 12 }, () => Number(random() < rate)).reduce(
      (sum, one) => sum + one,
      0,
    );
    return { day, events: 12, harms, known: 12 };
  });
}

test('the chart of docs/reading-the-evidence.md is the one that the page of a rollout has', async () => {
  const trigger = 1 / (ALPHA * WEIGHT);
  const series = seriesOf(history(), LIMIT, ALPHA);
  const fired = series.find(({ logE }) => logE >= Math.log(trigger))?.day ?? 60;
  const days = series.filter(({ day }) => day <= fired);
  const chart = evidenceChart(
    {
      segment: 'gold',
      metric: 'wrong',
      business: 'correction workload',
      unit: 'conversation',
      limit: LIMIT,
      atLeast: null,
      isSum: false,
      isRatio: false,
      reason: 'twice what the desk gets wrong',
      trigger,
      wouldOnDay: null,
      verdict: 'breach',
      moreNeeded: null,
      cost: null,
      trend: null,
      beside: null,
      breaches: [{ day: fired + 1, at: new Date(0), held: false, because: '' }],
      processes: [{ generation: 1, days, firedOnDay: fired + 1 }],
    },
    { toDay: 60, steps: [15, 30], builds: [] },
  );
  // As a file of its own: the style of the page, and a ground to stand on.
  const svg = chart.text
    .replace('<svg ', '<svg xmlns="http://www.w3.org/2000/svg" width="704" height="428" ')
    .replace(
      '</title>',
      `</title>\n<style>${chartStyle()}</style>\n<rect width="100%" height="100%" fill="var(--paper)"></rect>`,
    );
  await expect(svg).toMatchFileSnapshot(SVG);
  expect(fired).toBeGreaterThanOrEqual(40);
  expect(fired).toBeLessThan(46);
  expect(readFileSync(SVG, 'utf8')).toContain('<path class="e-value"');
});

/** Of the page's style what a chart needs: the colours, by day and by night, and how its lines are drawn. */
function chartStyle(): string {
  const colours = STYLE.slice(STYLE.indexOf(':root'), STYLE.indexOf('}\n}') + 3);
  const from = STYLE.indexOf('svg.chart {');
  return `${colours}\n${STYLE.slice(from, STYLE.indexOf('\n', STYLE.indexOf('svg.chart .exposed')))}`;
}
