import type { Timestamp } from './columns.ts';

export interface PostSlotTable {
  channel: string;
  next_at: Timestamp;
}

/** The tables of Slack's transport, as Kysely sees them. */
export interface SlackTables {
  post_slot: PostSlotTable;
}
