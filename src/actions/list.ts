import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import { isUuid } from '../db/uuid.ts';
import { AppError } from '../errors.ts';
import type { ActionRow } from '../records/action.ts';

export interface ActionFilter {
  agent?: string;
  state?: ActionRow['state'];
  segment?: string;
  /** The id after which the page starts, as `nextCursor` gave it. */
  cursor?: string;
  limit: number;
}

/** What is looked at for a page, whatever is asked for: a page may be short and have another behind it. */
const LOOKED_AT = 2_000;
const INDEXED: readonly string[] = ['pending', 'executing', 'unknown'];

/** Newest first: an id begins with the time it was made at. A page may be shorter than its limit, and not the last. */
export async function listActions(
  db: Sql,
  filter: ActionFilter,
): Promise<{ actions: ActionRow[]; nextCursor?: string }> {
  const { agent, state, segment, limit } = filter;
  const before = filter.cursor === undefined ? undefined : parseCursor(filter.cursor);
  const { ids, looked } = await pageOf(db, { agent, state, segment, before, limit: limit + 1 });
  const actions = await rowsOf(db, ids.slice(0, limit));
  const next = ids.length > limit ? ids[limit - 1] : looked;
  return next ? { actions, nextCursor: next } : { actions };
}

interface Page {
  agent: string | undefined;
  state: ActionRow['state'] | undefined;
  segment: string | undefined;
  before: string | undefined;
  limit: number;
}

/** The ids of a page; `looked`: where it stopped to look, with more behind it. */
async function pageOf(db: Sql, page: Page): Promise<{ ids: string[]; looked?: string }> {
  const { agent, state, segment, before, limit } = page;
  if (state !== undefined && INDEXED.includes(state)) return { ids: await idsIn(db, state, page) };
  const filtered = state !== undefined || segment !== undefined;
  const { rows } = await sql<{ id: string; state: string; segment: string | null }>`
    SELECT id, state, segment FROM newest_actions(${agent ?? null}, ${before ?? null}, ${filtered ? LOOKED_AT : limit})`.execute(
    db,
  );
  const wanted = rows.filter(
    (row) =>
      (state === undefined || row.state === state) && (segment === undefined || row.segment === segment),
  );
  const ids = wanted.slice(0, limit).map(({ id }) => id);
  return filtered && ids.length < limit && rows.length === LOOKED_AT
    ? { ids, looked: rows.at(-1)?.id }
    : { ids };
}

/** What is not over lies beside the others, and what nobody knows the end of has an index of its own. */
async function idsIn(
  db: Sql,
  state: NonNullable<Page['state']>,
  { agent, segment, before, limit }: Page,
): Promise<string[]> {
  let query = db
    .selectFrom(state === 'unknown' ? 'action' : 'open_action')
    .select('id')
    // Said in the statement, or the index would not be known to serve.
    .where(sql<boolean>`state = ${sql.lit(state)}`)
    .orderBy('id', 'desc')
    .limit(limit);
  if (agent !== undefined) query = query.where('agent', '=', agent);
  if (segment !== undefined) query = query.where('segment', '=', segment);
  if (before !== undefined) query = query.where('id', '<', before);
  return (await query.execute()).map(({ id }) => id);
}

async function rowsOf(db: Sql, ids: readonly string[]): Promise<ActionRow[]> {
  if (ids.length === 0) return [];
  return db.selectFrom('any_action').selectAll().where('id', 'in', ids).orderBy('id', 'desc').execute();
}

function parseCursor(cursor: string): string {
  if (isUuid(cursor)) return cursor;
  throw new AppError('invalid_input', 'Cannot read the cursor: send back nextCursor of the page before');
}
