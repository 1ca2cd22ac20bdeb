import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import { canonical } from '../domain/digest.ts';

/** Of the form of an entry: log_body() writes the same. */
const LOG_VERSION = 2;

/** One fact for the log. Numbers in `data` are integers; other figures are strings, so that their bytes never vary. */
export interface Entry {
  kind: string;
  agent?: string | null;
  /** Action, rollout or switch it is about. */
  ref?: string | null;
  at: Date;
  actor: string;
  data: Readonly<Record<string, unknown>>;
}

/** The body of an entry, byte for byte as log_body() makes it: for what is recorded many at once. */
export const bodyOf = ({ kind, agent, ref, at, actor, data }: Entry): string =>
  canonical(
    withoutNulls({ v: LOG_VERSION, at: at.toISOString(), kind, agent, ref, actor, data: withoutNulls(data) }),
  );

const withoutNulls = (data: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(data).filter(([, value]) => value !== null && value !== undefined));

/** Appends an entry inside the transaction of what it records; the sequencer numbers it later. */
export async function appendEntry(tx: Sql, { kind, agent, ref, at, actor, data }: Entry): Promise<void> {
  await sql`SELECT log_append(${kind}, ${agent ?? null}, ${ref ?? null}, ${at}, ${actor},
    ${JSON.stringify(data)}::jsonb)`.execute(tx);
}
