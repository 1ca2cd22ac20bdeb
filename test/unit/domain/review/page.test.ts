import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonical } from '../../../../src/domain/digest.ts';
import { lastWholeWeek, weekAt, weekBefore, weekOf } from '../../../../src/domain/review/iso-week.ts';
import { pageMarkdown } from '../../../../src/domain/review/markdown.ts';
import {
  CHARTS_MAX,
  PAGE_WORDS_MAX,
  pageOf,
  TABLES_MAX,
  wordsOfPage,
} from '../../../../src/domain/review/page.ts';
import { colourOf, onlyOf } from '../../../../src/domain/review/weekly.ts';
import { weekChart } from '../../../../src/reviews/chart.ts';
import { chartPicture } from '../../../../src/reviews/picture.ts';
import { cell, fullSnapshot, quietSnapshot } from './snapshots.ts';

test('an ISO week is named, found and left as the standard says', () => {
  expect(weekAt(new Date('2026-11-20T12:00:00Z'))).toEqual({
    id: '2026-W47',
    from: new Date('2026-11-16T00:00:00Z'),
    to: new Date('2026-11-23T00:00:00Z'),
  });
  expect(weekAt(new Date('2027-01-01T00:00:00Z')).id).toBe('2026-W53');
  expect(weekAt(new Date('2024-12-30T00:00:00Z')).id).toBe('2025-W01');
  expect(weekOf('2025-W53')).toBeUndefined();
  expect(weekOf('2026-47')).toBeUndefined();
  // Monday 00:00 is of the new week: the one before is over.
  expect(lastWholeWeek(new Date('2026-11-23T00:00:00Z')).id).toBe('2026-W47');
  fc.assert(
    fc.property(
      fc.date({ min: new Date('2001-01-01'), max: new Date('2099-01-01'), noInvalidDate: true }),
      (at) => {
        const week = weekAt(at);
        expect(weekOf(week.id)).toEqual(week);
        expect(weekBefore(weekBefore(week), -1)).toEqual(week);
      },
    ),
    { numRuns: 50 },
  );
});

test('the same snapshot gives the same page, text, charts and picture, byte for byte', async () => {
  const snapshot = fullSnapshot();
  const again = JSON.parse(JSON.stringify(snapshot));
  expect(canonical(pageOf(again))).toBe(canonical(pageOf(snapshot)));
  expect(pageMarkdown(pageOf(again))).toBe(pageMarkdown(pageOf(snapshot)));
  const { charts } = pageOf(snapshot);
  expect(charts.map(weekChart)).toEqual(pageOf(again).charts.map(weekChart));
  const [one, other] = [await chartPicture(charts), await chartPicture(charts)];
  expect(one?.subarray(1, 4).toString()).toBe('PNG');
  expect(one?.equals(other ?? Buffer.of())).toBe(true);
  // Without its font all text would vanish: the picture would be far smaller.
  expect(one?.length).toBeGreaterThan(20_000);
});

test('a page keeps its limits, however much there is to say, and its order', () => {
  const page = pageOf(fullSnapshot({ times: 40 }));
  expect(wordsOfPage(page)).toBeLessThanOrEqual(PAGE_WORDS_MAX);
  expect(page.charts.length).toBeLessThanOrEqual(CHARTS_MAX);
  expect(page.sections.filter(({ table }) => table).length).toBeLessThanOrEqual(TABLES_MAX);
  expect(page.sections.map(({ title }) => title).slice(0, 3)).toEqual([
    'Period',
    'Decisions needed',
    'Follow-ups',
  ]);
  expect(page.sections[1]?.lines).toHaveLength(4);
  expect(page.sections[1]?.lines[3]?.text).toBe('and 37 more');
});

test('a quiet week is one line with what was checked; a partial or unread one is never quiet', () => {
  expect(pageOf(quietSnapshot()).quiet).toBe(
    'Quiet: 0 decisions; 2 guardrails judged, 412 writes asked of people, no cases are kept.',
  );
  expect(pageOf({ ...quietSnapshot(), unread: ['policy'] }).quiet).toBeNull();
  const down = pageOf({ ...quietSnapshot(), sourcesDown: ['desk: wrong in gold'] });
  expect(down.quiet).toBeNull();
  expect(down.sections[0]?.lines.map(({ text }) => text)).toContain(
    'Sources that say nothing: desk: wrong in gold.',
  );
  const missed = pageOf({ ...quietSnapshot(), missed: ['2026-W44', '2026-W45', '2026-W46'] });
  expect(
    missed.sections[0]?.lines.some(({ text }) => text.startsWith('No page was made of 2026-W44, 2026-W45')),
  ).toBe(true);
});

test('only a verdict that became breach, or is none any more, is coloured', () => {
  const words = ['ok', 'inconclusive', 'no-data', 'source-down', 'breach', null] as const;
  const coloured = words.flatMap((before) =>
    words.flatMap((verdict) =>
      verdict !== null && colourOf({ verdict, before }) ? [`${before}>${verdict}`] : [],
    ),
  );
  expect(coloured.every((one) => one.includes('breach'))).toBe(true);
  expect(colourOf({ verdict: 'breach', before: 'breach' })).toBeNull();
  expect(colourOf({ verdict: 'inconclusive', before: 'ok' })).toBeNull();
});

test('what people wrote is no markup, no mention and no other agent’s business', () => {
  const hostile = fullSnapshot({ text: '<!channel> [x](http://e) | **y** <script>' });
  const text = pageMarkdown(pageOf(hostile));
  expect(text).not.toMatch(/[^\\]<!channel>|[^\\]<script>|[^\\]\[x\]/);
  expect(weekChart(cell({ metric: '<script>' }))).not.toContain('<script>');
  const [first, ...others] = cell({}).weeks;
  if (!first) throw new Error('no week');
  const marked = weekChart(cell({ weeks: [{ ...first, marks: ['released', 'rolled_back'] }, ...others] }));
  expect([marked.match(/class="mark"/g)?.length, marked.match(/class="mark back"/g)?.length]).toEqual([1, 1]);
  // Guard: `beside` in marksIn(): two marks of one week do not lie on each other, and no line of a mark on the value.
  const [, released, back] =
    /class="mark" d="M([\d.]+) [^>]*><\/path><path class="mark back" d="M([\d.]+)/.exec(marked) ?? [];
  expect(Number(back) - Number(released)).toBe(10);
  expect(marked.lastIndexOf('class="grid"')).toBeLessThan(marked.indexOf('class="value"'));
  const mine = onlyOf(fullSnapshot({ agents: ['desk', 'zebra'] }), ['desk']);
  expect(JSON.stringify(mine)).not.toContain('zebra');
});
