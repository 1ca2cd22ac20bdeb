import type { ColumnType, Generated, GeneratedAlways } from 'kysely';
import type { SegmentExposure } from '../domain/decision.ts';
import type { LockedBaseline } from '../domain/evidence/baseline.ts';
import type { DayLimit } from '../domain/evidence/day-limit.ts';
import type { Rates } from '../domain/rates.ts';
import type { Json, JsonOrNull, Timestamp } from './columns.ts';

export type RolloutStatus = 'running' | 'paused' | 'completed' | 'rolled_back' | 'superseded';

/** A build that a rollout knows: it holds nothing any more. */
export interface KnownBuild {
  version: string;
  /** Whether its events fill the sample of the gates. */
  counts: boolean;
  /** Of what a source counts, which knows no build: from this day on it is this one's. None: from the first. */
  fromDay?: number;
}

/** A calendar of freezes, as it was last read. */
export interface FreezeCalendarTable {
  agent: string;
  ical: string;
  spans: Json<{ from: string; to: string }[]>;
  tried_at: Timestamp;
  read_at: Timestamp | null;
  failure: string | null;
}

export interface RolloutTable {
  id: string;
  agent: string;
  release: string;
  status: RolloutStatus;
  salt: string;
  plan: Json<unknown>;
  /** Of the plan, for whoever begins a write: its present step, and the milliseconds of its days. */
  step: GeneratedAlways<unknown>;
  day_ms: GeneratedAlways<unknown>;
  digests: Json<Record<string, string>>;
  step_index: number;
  started_at: Timestamp;
  started_by: string;
  reason: string;
  step_elapsed_ms: number;
  ticking_since: Timestamp | null;
  gate_approved_by: string | null;
  gate_told_at: Timestamp | null;
  gate_asked_at: Timestamp | null;
  gate_escalated_at: Timestamp | null;
  /** When people were asked because of harm that is spread. */
  spread_held_at: Timestamp | null;
  baseline: JsonOrNull<LockedBaseline[]>;
  baseline_digest: string | null;
  baseline_locked_at: Timestamp | null;
  /** Fixed with the baseline; null where it began without. */
  per_day: JsonOrNull<DayLimit[]>;
  /** The metrics that are compared with the release in force. */
  compared: Generated<string[]>;
  /** Whether a guardrail rests on a source. */
  sourced: Generated<boolean>;
  agent_version: string | null;
  held_for_version: string | null;
  held_for_version_at: Timestamp | null;
  /** Who or what paused it, since when and why; null while it runs. */
  paused_at: Timestamp | null;
  paused_by: string | null;
  paused_because: string | null;
  builds: ColumnType<KnownBuild[], string | undefined, string>;
  revision: number;
  ended_at: Timestamp | null;
  /** Of one that completed, where its release says so; null: as long as its release is in force. */
  watch_until: Timestamp | null;
  /** When that was judged for the last time. */
  watch_ended_at: Timestamp | null;
}

export interface RolloutSegmentTable {
  rollout_id: string;
  segment: string;
  exposure: number;
  generation: number;
  state: SegmentExposure['state'];
  changed_at: Timestamp;
  because: string | null;
  /** People confirm each write of the candidate there, because of its evidence. */
  asks: Generated<boolean>;
}

export interface RatesTable {
  agent: string;
  revision: number;
  manifest: Json<Rates>;
  digest: string;
  applied_at: Timestamp;
  applied_by: string;
}

/** The tables of rollouts themselves, and of what harm costs in them. */
export interface RolloutTables {
  rates: RatesTable;
  rollout: RolloutTable;
  rollout_segment: RolloutSegmentTable;
  freeze_calendar: FreezeCalendarTable;
}
