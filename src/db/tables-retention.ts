import type { Generated } from 'kysely';
import type { Timestamp } from './columns.ts';

/** While one is open nothing is dropped. */
export interface RetentionHoldTable {
  id: Generated<number>;
  reason: string;
  held_by: string;
  held_at: Timestamp;
  released_by: string | null;
  released_at: Timestamp | null;
}

/** The head of the log where it was cut. */
export interface LogSealTable {
  seq: number;
  hash: Buffer;
  at: Timestamp;
  signed: string;
  entries: number;
  sealed_at: Timestamp;
}

/** A partition that was dropped. */
export interface RetentionDropTable {
  id: Generated<number>;
  name: string;
  until: Timestamp;
  bytes: number;
  /** How many of its rows were kept. */
  kept: number;
  at: Timestamp;
}

/** That a subject is to be erased, and how far that is. */
export interface ErasureTable {
  id: string;
  agent: string;
  subject_id: number;
  /** Null once nothing of it is left. */
  name: string | null;
  reason: string;
  actor: string;
  at: Timestamp;
  actions: Generated<number>;
  reads: Generated<number>;
  worked_at: Timestamp;
  done_at: Timestamp | null;
}

/** What became more or less, and is not added up yet. */
export interface PostureDueTable {
  agent: string;
  segment: string;
  actions: number;
  kept: number;
}

/** The tables of what is kept for how long, and of what is erased before, as Kysely sees them. */
export interface RetentionTables {
  erasure: ErasureTable;
  retention_hold: RetentionHoldTable;
  log_seal: LogSealTable;
  retention_drop: RetentionDropTable;
  posture_due: PostureDueTable;
}
