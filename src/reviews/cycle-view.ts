import type { CycleRow } from './cycle-list.ts';
import { cycleDueAt } from './remind.ts';

/** A review of a cycle as surfaces show it. */
export const cycleView = (row: CycleRow, dayMs: number) => ({
  id: row.id,
  agent: row.agent,
  rollout: row.rollout_id,
  release: row.release,
  ending: row.ending,
  segments: row.segments,
  because: row.because,
  openedAt: row.opened_at.toISOString(),
  dueAt: cycleDueAt(row.opened_at, dayMs).toISOString(),
  state: row.state,
  facts: row.facts ? { ...row.facts } : undefined,
  recommendation: row.recommendation ?? undefined,
  decision: row.decision ?? undefined,
  written: row.body ? { ...row.body } : undefined,
  writtenBy: row.written_by ?? undefined,
  writtenAt: row.written_at?.toISOString(),
  secondedBy: row.seconded_by ?? undefined,
  secondedAt: row.seconded_at?.toISOString(),
  followUp: row.follow_up_id ?? undefined,
  prediction: row.prediction ?? undefined,
  measured: row.measured ?? undefined,
  scoredAt: row.scored_at?.toISOString(),
});
