import { expect, test } from 'vitest';
import { type BacktestShown, backtestText } from '../../../../src/cli/text/backtest-text.ts';
import { tooLong } from '../cli-io.ts';

const row: BacktestShown['rows'][number] = {
  rollout: 'airline-desk-2-a1b2c3',
  startedAt: '2026-08-01T00:00:00.000Z',
  arm: 'control',
  segment: 'silver-test',
  metric: 'wrong-cancellation',
  limit: 0.02,
  reportsOnly: false,
  days: 30,
  events: 320,
  harms: 19,
  share: 19 / 320,
  highestLogE: 6.2,
  thresholdLogE: 5.3,
  takenBackOn: 11,
  okOn: null,
};
const shown: BacktestShown = { agent: 'airline-desk', release: '3', alpha: 0.05, rows: [row], notPlayed: [] };

test('says what each guardrail would have made of each window, within 80 columns', () => {
  const text = backtestText(
    { ...shown, rows: [row, { ...row, arm: 'candidate', takenBackOn: null, okOn: 4, reportsOnly: true }] },
    80,
  );
  expect(tooLong(text)).toEqual([]);
  const flat = text.replaceAll(/\s+/g, ' ');
  expect(flat).toContain('The guardrails of release 3 of airline-desk, as if each took back');
  expect(flat).toContain('day 12');
  expect(flat).toContain('day 5');
  expect(flat).toContain('What was in force would have been taken back by wrong-cancellation');
});

test('of nothing it says how to begin', () => {
  expect(backtestText({ ...shown, rows: [] }, 80)).toContain('Nothing was counted of airline-desk');
});
