import type { Generated } from 'kysely';
import type { Arm } from '../domain/decision.ts';
import type { Json, Timestamp } from './columns.ts';

/** A day of one arm of a segment, in a metric. */
interface DayKey {
  rollout_id: string;
  arm: Arm;
  segment: string;
  generation: number;
  metric: string;
  day: number;
}

export interface SubjectDayTable extends DayKey {
  build: string;
  /** The digest, as in the log. */
  subject: string;
  value: number;
  known: boolean;
  /** Whether it is in the counts now. */
  counted: boolean;
  /** Of a ratio: what the value is set against. */
  per: number | null;
}

export interface DayCountTable extends DayKey {
  build: string;
  events: number;
  harms: number;
  known: number;
}

/** Subjects by where they were first seen, and what came of that day. */
export interface FirstCountTable extends DayKey {
  exposure: number;
  subjects: number;
  harms: number;
  known: number;
  /** Of a sum: integers of any size, as text. */
  total: Generated<string>;
  logs: Generated<string[]>;
  /** Subjects above the cap. */
  over: Generated<number>;
}

/** What the values of a day add up to: integers of any size, as text. */
export interface DaySumTable extends DayKey {
  build: string;
  total: string;
  logs: string[];
  safety: string[];
  over: number;
  per: Generated<string>;
  squares: Generated<string>;
}

export interface EvidenceDueTable {
  id: Generated<number>;
  action_id: string;
  metric: string | null;
  value: number | null;
  at: Timestamp;
}

export interface JudgeQueueTable {
  rollout_id: string;
  segment: string;
  since: Timestamp;
  n: number;
}

export interface VerdictTable {
  rollout_id: string;
  segment: string;
  generation: number;
  metric: string;
  verdict: string;
  record: Json<unknown>;
  judged_at: Timestamp;
  /** The word for which people were told to hold, until it is another. */
  held: string | null;
  /** What was done before a breach: once in a generation of the segment. */
  early: Generated<string[]>;
}

/** How far a segment was exposed from when until when; open while it still is. */
export interface ExposureTable {
  rollout_id: string;
  segment: string;
  generation: number;
  exposure: number;
  from_at: Timestamp;
  until_at: Timestamp | null;
}

export interface RolloutSubjectTable {
  rollout_id: string;
  subject_id: number;
  first_at: Timestamp;
  /** Whether an arm may be assigned to it. */
  admitted: boolean;
}

export interface RolloutSurplusTable {
  rollout_id: string;
  /** How many subjects were too many. */
  subjects: number;
}

/** When the source of a metric was last read for a segment. */
export interface SourceReadingTable {
  rollout_id: string;
  segment: string;
  metric: string;
  since: Timestamp;
  tried_at: Timestamp;
  read_at: Timestamp | null;
  failure: string | null;
  counted: boolean;
}

/** The last point of a series that counted; times in nanoseconds, as text. */
export interface OtlpSeriesTable {
  agent: string;
  metric: string;
  series: string;
  start: string;
  time: string;
  events: number;
  harms: number;
  seen_at: Timestamp;
}

/** When an exporter was last heard, by the digest of its resource. */
export interface OtlpExporterTable {
  agent: string;
  exporter: string;
  heard_at: Timestamp;
}

/** Which exporters count a metric of a release. */
export interface OtlpSenderTable {
  agent: string;
  metric: string;
  release: string;
  exporter: string;
}

export interface OtlpCountTable {
  agent: string;
  metric: string;
  release: string;
  segment: string;
  minute: Timestamp;
  events: number;
  harms: number;
}

/** Subjects first asked for, by the arm and the exposure they were assigned by. */
export interface ArmCountTable {
  rollout_id: string;
  segment: string;
  generation: number;
  /** How often its arms had been accepted as they are. */
  round: Generated<number>;
  exposure: number;
  arm: Arm;
  subjects: number;
}

/** The segments whose arms were not as assigned, once in a round of a generation. */
export interface ArmsMismatchTable {
  rollout_id: string;
  segment: string;
  generation: number;
  round: Generated<number>;
  strata: Json<unknown>;
  at: Timestamp;
  /** Who accepted the arms as they are, when and why; counted anew from then on. */
  accepted_at: Timestamp | null;
  accepted_by: string | null;
  because: string | null;
}

/** The tables of what is counted and judged. */
export interface EvidenceTables {
  subject_day: SubjectDayTable;
  day_count: DayCountTable;
  day_sum: DaySumTable;
  first_count: FirstCountTable;
  arm_count: ArmCountTable;
  arms_mismatch: ArmsMismatchTable;
  source_reading: SourceReadingTable;
  otlp_series: OtlpSeriesTable;
  otlp_exporter: OtlpExporterTable;
  otlp_sender: OtlpSenderTable;
  otlp_count: OtlpCountTable;
  evidence_due: EvidenceDueTable;
  exposure: ExposureTable;
  rollout_subject: RolloutSubjectTable;
  rollout_surplus: RolloutSurplusTable;
  judge_queue: JudgeQueueTable;
  verdict: VerdictTable;
}
