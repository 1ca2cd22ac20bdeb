import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatDuration,
  formatNumber,
  formatRelative,
  formatTime,
  scaledDayNote,
} from '../../../../src/cli/text/format.ts';
import { displayWidth, fields, plain, quoted, table, wrap } from '../../../../src/cli/text/render.ts';

const lines = (text: string): string[] => text.split('\n');
const words = fc.string({ unit: 'grapheme', maxLength: 120 });

describe('table()', () => {
  test('fits 80 columns whatever is in it, and cuts nothing', () => {
    const rows = fc.array(fc.tuple(fc.uuid(), words, words, words), { maxLength: 5 });
    fc.assert(
      fc.property(rows, (cells) => {
        const printed = table(['action', 'state', 'what', 'when'], cells);
        for (const line of lines(printed)) expect(displayWidth(line)).toBeLessThanOrEqual(80);
        for (const [id] of cells) expect(printed.replace(/\s/g, '')).toContain(id.slice(0, 8));
      }),
    );
  });

  test('keeps an id in one piece and wraps the words beside it', () => {
    const id = '6f1d6f0e-0c3c-4f0b-9d4e-2f7a1c1f0b11';
    const printed = table(
      ['action', 'state', 'what'],
      [[id, 'pending', 'Cancel order R-1 of the guest '.repeat(5)]],
    );
    expect(printed).toContain(id);
    expect(lines(printed).every((line) => line.length <= 80)).toBe(true);
    expect(printed.match(/guest/g)).toHaveLength(5);
  });
});

describe('table() of much', () => {
  test('takes no time worth noting: arguments may be large', () => {
    const note = 'a b '.repeat(25_000);
    const began = performance.now();
    expect(table(['action', 'what'], [['id', note]]).match(/a b/g)).toHaveLength(25_000);
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});

describe('text of others', () => {
  test('plain() shows what would steer a terminal or turn its order around', () => {
    expect(plain('a\u001b[2Jb\u202ec\u0007')).toBe('a\\u001b[2Jb\\u202ec\\u0007');
    expect(plain('a\tb\nc')).toBe('a b\nc');
  });

  test('fields() indents a line break, so that a value cannot look like another field', () => {
    const printed = fields([
      ['Why', 'harmless\nTool  lookup'],
      ['Tool', 'cancel'],
    ]);
    expect(printed).toBe('Why   harmless\n      Tool  lookup\nTool  cancel');
  });

  test('wrap() counts wide characters as two columns', () => {
    for (const line of wrap('予約を取り消す'.repeat(20), 20))
      expect(displayWidth(line)).toBeLessThanOrEqual(20);
  });

  test('wrap() keeps indentation, so that JSON stays readable', () => {
    const text = JSON.stringify({ to: 'ana', list: ['a long word '.repeat(4).trim()] }, null, 2);
    expect(wrap(text, 30)).toEqual([
      '{',
      '  "to": "ana",',
      '  "list": [',
      '    "a long word a long word a',
      '    long word a long word"',
      '  ]',
      '}',
    ]);
  });

  test('quoted() makes one shell argument', () => {
    expect(quoted('agent/desk')).toBe('agent/desk');
    expect(quoted("it's $HOME")).toBe(`'it'\\''s $HOME'`);
  });
});

describe('times', () => {
  test('are local and name their zone', () => {
    expect(formatTime('2026-07-01T10:00:05Z', 'Europe/Berlin')).toBe('2026-07-01 12:00:05 CEST');
    expect(formatTime('2026-07-01T00:00:05Z', 'UTC')).toBe('2026-07-01 00:00:05 UTC');
  });

  test.each([
    [4.24, '4.2 ms'],
    [850, '850 ms'],
    [12_300, '12 s'],
    [3_600_000 * 3 + 60_000 * 20, '3 h 20 min'],
    [86_400_000, '1 day'],
    [86_400_000 * 12, '12 days'],
  ])('a duration of %d ms is "%s"', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  test('say how far they are', () => {
    const now = new Date('2026-01-01T00:00:00Z');
    expect(formatRelative('2026-01-01T00:20:00Z', now)).toBe('in 20 min');
    expect(formatRelative('2025-12-31T21:00:00Z', now)).toBe('3 h ago');
  });

  test('a scaled day is said, a real one is not', () => {
    expect(scaledDayNote(1_300)).toContain('PORTCULLIS_DAY is 1 s');
    expect(scaledDayNote(86_400_000)).toBeUndefined();
  });

  test('large and small numbers stay short', () => {
    expect([3, 0.123456, 12_345_678, Number.POSITIVE_INFINITY].map(formatNumber)).toEqual([
      '3',
      '0.123',
      '1.2e+7',
      '-',
    ]);
  });
});
