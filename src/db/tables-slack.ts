import type { Generated } from 'kysely';
import type { Timestamp } from './columns.ts';

export interface PostSlotTable {
  channel: string;
  next_at: Timestamp;
  last_at: Timestamp | null;
}

/** A post that is to come, or whose answer is out. */
export interface PostTable {
  channel: string;
  ref: string;
  due_at: Timestamp;
  tries: Generated<number>;
  problem: string | null;
}

export interface DigestItemTable {
  action_id: string;
  channel: string;
  ts: string;
  listed_at: Timestamp;
}

export interface SlackAccountTable {
  /** `user/team`. */
  slack: string;
  /** In lower case, where it may stand for a person. */
  email: string | null;
  known_at: Timestamp;
}

/** The tables of Slack's transport, as Kysely sees them. */
export interface SlackTables {
  post_slot: PostSlotTable;
  post: PostTable;
  digest_item: DigestItemTable;
  slack_account: SlackAccountTable;
}
