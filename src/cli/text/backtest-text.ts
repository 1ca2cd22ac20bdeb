import type { Backtested } from '../../domain/evidence/backtest.ts';
import { eValueOf } from '../../domain/evidence/eprocess.ts';
import { groupBy } from '../../domain/group-by.ts';
import { formatNumber } from './format.ts';
import { paragraph, sections, table } from './render.ts';

/** What the guardrails of a release would have made of past windows. */
export interface BacktestShown {
  agent: string;
  release: string;
  alpha: number;
  rows: (Backtested & {
    metric: string;
    limit: number;
    reportsOnly: boolean;
    rollout: string;
    startedAt: string;
    arm: string;
    segment: string;
  })[];
  notPlayed: { metric: string; because: string }[];
}

const HEAD = ['segment', 'metric', 'of', 'harm', 'most E', 'back on', 'ok on'];

export function backtestText({ agent, release, rows, notPlayed }: BacktestShown, width: number): string {
  if (rows.length === 0)
    return paragraph(
      `Nothing was counted of ${agent} in these metrics yet: a first rollout counts it, with guardrails that only report (action: report) if you like.`,
      width,
    );
  const strict = rows.filter(({ takenBackOn, arm }) => takenBackOn !== null && arm === 'control');
  return sections(
    paragraph(`The guardrails of release ${release} of ${agent}, as if each took back`, width),
    ...[...groupBy(rows, ({ rollout }) => rollout)].map(
      ([rollout, own]) => `Rollout ${rollout}\n${windowsText(own, width)}`,
    ),
    strict.length === 0
      ? undefined
      : paragraph(
          `What was in force would have been taken back by ${[...new Set(strict.map(({ metric }) => metric))].join(', ')}: too strict a limit, or harm that nobody looked at.`,
          width,
        ),
    notPlayed.length === 0
      ? undefined
      : paragraph(
          `Not played: ${notPlayed.map(({ metric, because }) => `${metric} (${because})`).join(', ')}.`,
          width,
        ),
  );
}

const windowsText = (rows: readonly BacktestShown['rows'][number][], width: number): string =>
  table(
    HEAD,
    rows.map((row) => [
      row.segment,
      row.reportsOnly ? `${row.metric} (reports)` : row.metric,
      row.arm === 'control' ? 'in force' : 'candidate',
      `${row.harms} of ${row.events}`,
      `${formatNumber(eValueOf(row.highestLogE))} of ${formatNumber(eValueOf(row.thresholdLogE))}`,
      row.takenBackOn === null ? 'no' : `day ${row.takenBackOn + 1}`,
      row.okOn === null ? 'never' : `day ${row.okOn + 1}`,
    ]),
    width,
  );
