import { describe, expect, test } from 'vitest';
import type { RolloutReport, RolloutStatus } from '../../../examples/airline/demo/api.ts';
import { type Beside, evidenceAt, showBeside } from '../../../examples/airline/demo/business.ts';
import { createScreen } from '../../../examples/airline/demo/screen.ts';

const trend = { fromDay: 31, toDay: 37, events: 6, harms: 1, expected: 0.8, compared: 4 };
const verdict = (metric: string, harms: number | null, estimate: number) => ({
  metric,
  segment: 'silver-test',
  verdict: 'inconclusive',
  eValue: 1,
  thresholdLogE: null,
  events: 21,
  harms,
  estimate,
  limit: 1,
  moreNeeded: null,
});
const cost = { amount: 240, currency: 'USD', inputs: ['4 x 60 USD (olga, from 2024-01-01)'] };
const evidence: RolloutReport['evidence'] = [
  { segment: 'silver-test', metric: 'wrong-cancellation', trend: null, cost },
  { segment: 'silver-test', metric: 'handed-over', trend, cost: null },
  { segment: 'silver-test', metric: 'corrected', trend: { ...trend, expected: 0, compared: 6 }, cost: null },
];
const status: Beside['status'] = {
  pairs: [
    {
      segment: 'silver-test',
      verdict: 'inconclusive',
      metrics: [
        { metric: 'latency', verdict: 'inconclusive' },
        { metric: 'cost', verdict: 'inconclusive' },
      ],
    },
  ],
  segments: [
    {
      segment: 'silver-test',
      state: 'rolled_back',
      exposurePercent: 0,
      generation: 1,
      verdicts: [verdict('latency', 2, 2 / 21), verdict('cost', null, 118.4)],
    },
  ] satisfies RolloutStatus['segments'],
};
const recorded = { conversations: 200, solved: 84, escalated: 48, thousandChars: 134.4 };

function shown(beside: Beside): string[] {
  let text = '';
  const out = { isTTY: false, write: (part: string) => (text += part) } as unknown as NodeJS.WriteStream;
  showBeside(createScreen(out, { interactive: false }), beside);
  return text.split('\n');
}
const flat = (lines: string[]): string => lines.join(' ').replace(/\s+/g, ' ');

describe('beside the question', () => {
  const lines = shown({ status, evidence, recorded });

  test('latency and cost are one line, as good as the worse', () => {
    expect(lines).toContain('  silver-test inconclusive together (latency inconclusive, cost inconclusive)');
  });

  test('what was measured here, recorded or declared is said to be that', () => {
    const text = flat(lines);
    expect(text).toContain('2 of 21 conversations in silver-test waited longer than a second.');
    expect(text).toContain('The recording has no clock');
    expect(text).toContain('118 thousand characters a conversation in silver-test, of 21.');
    expect(text).toContain('The recording has no prices.');
    expect(text).toContain('as rates.yaml declares it (assumptions of its owner, not measured)');
    expect(text).toContain('wrong-cancellation in silver-test 240 USD: 4 x 60 USD (olga, from 2024-01-01)');
    expect(text).toContain('84 of 200 tasks solved, 48 handed over, 134 thousand characters each');
    expect(text).toContain('None of it is an effect of Portcullis.');
  });

  test('trends stand beside the same weekdays before the release, with what had none left out', () => {
    const text = flat(lines);
    expect(text).toContain(
      'Escalations 1 among 6 conversations in silver-test on days 32 to 38; before it 0.8 would be expected, of the 4 on weekdays that had any.',
    );
    expect(text).toContain('on days 32 to 38; before it 0 would be expected.');
  });

  test('where nobody met the candidate it says so, and no figure', () => {
    const none = flat(shown({ status: { pairs: [], segments: [] }, evidence: [], recorded }));
    expect(none).toContain('Nobody met the candidate: latency and cost were not judged.');
    expect(none).toContain('Escalations nothing to compare');
    expect(none).toContain('Corrections nothing to compare');
    expect(none).toContain('nothing to price');
  });

  test('no line is wider than 80 columns', () => {
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
  });
});

test('the trend of what was taken back is that of its last days, what it cost that of the end', () => {
  const then: RolloutReport = {
    evidence: [{ segment: 'silver-test', metric: 'corrected', trend, cost: null }],
  };
  const atEnd: RolloutReport = {
    evidence: [
      { segment: 'silver-test', metric: 'corrected', trend: null, cost },
      { segment: 'gold', metric: 'corrected', trend: null, cost: null },
    ],
  };
  expect(evidenceAt(new Map([['silver-test', then]]), atEnd)).toEqual([
    { segment: 'silver-test', metric: 'corrected', trend, cost },
    { segment: 'gold', metric: 'corrected', trend: null, cost: null },
  ]);
});
