import type { Generated } from 'kysely';
import type { CycleEnding, CycleFacts, WrittenReview } from '../domain/review/cycle.ts';
import type { Score } from '../domain/review/prediction.ts';
import type { Json, JsonOrNull, Timestamp } from './columns.ts';

/** What a cycle of a rollout came to, and what people make of it. */
export interface CycleReviewTable {
  id: string;
  agent: string;
  rollout_id: string;
  release: string;
  ending: CycleEnding;
  /** Of a rollback: what was taken back. */
  segments: Json<string[]>;
  because: string;
  opened_at: Timestamp;
  /** Null until they were gathered, which is after the commit that ended the cycle. */
  facts: JsonOrNull<CycleFacts>;
  facts_at: Timestamp | null;
  recommendation: string | null;
  state: Generated<'due' | 'awaiting_second' | 'written'>;
  decision: string | null;
  body: JsonOrNull<WrittenReview>;
  written_by: string | null;
  written_at: Timestamp | null;
  seconded_by: string | null;
  seconded_at: Timestamp | null;
  /** When nothing was owed any more. */
  settled_at: Timestamp | null;
  follow_up_id: string | null;
  reminders: Generated<number>;
  /** `open` until it is scored. */
  prediction: 'open' | Score | null;
  prediction_due: Timestamp | null;
  measured: JsonOrNull<{ value: number | null; events: number }>;
  scored_at: Timestamp | null;
}

/** A page a week, frozen by content. */
export interface WeeklyReviewTable {
  week: string;
  version: number;
  made_at: Timestamp;
  due_at: Timestamp;
  digest: string;
  page_digest: string;
  snapshot: Json<unknown>;
  difference: Json<string[]>;
}

/** Who of which function has read a page. */
export interface ReviewAnswerTable {
  id: Generated<number>;
  week: string;
  version: number;
  function: string;
  person: string;
  comment: string | null;
  at: Timestamp;
  via: string;
}

/** How far a page was posted to a channel. */
export interface ReviewPostTable {
  week: string;
  version: number;
  channel: string;
  file_id: string | null;
  ts: string | null;
  posted_at: Timestamp | null;
}

export interface ReviewTables {
  cycle_review: CycleReviewTable;
  weekly_review: WeeklyReviewTable;
  review_answer: ReviewAnswerTable;
  review_post: ReviewPostTable;
}
