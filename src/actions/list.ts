import type { Sql } from '../db/database.ts';
import { isUuid } from '../db/uuid.ts';
import { isInstant } from '../domain/instant.ts';
import { AppError } from '../errors.ts';
import type { ActionRow } from '../records/action.ts';

export interface ActionFilter {
  agent?: string;
  state?: ActionRow['state'];
  segment?: string;
  /** The `asked_at` and id after which the page starts, as `nextCursor` gave it. */
  cursor?: string;
  limit: number;
}

/** Newest first. */
export async function listActions(
  db: Sql,
  filter: ActionFilter,
): Promise<{ actions: ActionRow[]; nextCursor?: string }> {
  let query = db
    .selectFrom('action')
    .selectAll()
    .orderBy('asked_at', 'desc')
    .orderBy('id')
    .limit(filter.limit + 1);
  if (filter.agent) query = query.where('agent', '=', filter.agent);
  if (filter.state) query = query.where('state', '=', filter.state);
  if (filter.segment) query = query.where('segment', '=', filter.segment);
  if (filter.cursor) {
    const [at, id] = parseCursor(filter.cursor);
    query = query.where((where) =>
      where.or([where('asked_at', '<', at), where.and([where('asked_at', '=', at), where('id', '>', id)])]),
    );
  }
  const rows = await query.execute();
  const actions = rows.slice(0, filter.limit);
  const last = actions.at(-1);
  return rows.length > filter.limit && last
    ? { actions, nextCursor: `${last.asked_at.toISOString()}_${last.id}` }
    : { actions };
}

function parseCursor(cursor: string): [Date, string] {
  const [at, id] = cursor.split('_');
  const date = new Date(at ?? '');
  if (!id || !isUuid(id) || !isInstant(date)) {
    throw new AppError('invalid_input', 'Cannot read the cursor: send back nextCursor of the page before');
  }
  return [date, id];
}
