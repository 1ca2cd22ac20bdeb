import type { Sql } from '../db/database.ts';
import { isUuid } from '../db/uuid.ts';

/** What has an id of its own that people type: all of them UUIDs, rollouts have names. */
export const ID_KINDS = ['action', 'deputy', 'standing_approval', 'token'] as const;
export type IdKind = (typeof ID_KINDS)[number];

/** As few digits as anybody could mean by them. */
export const ID_PREFIX_MIN = 4;
const FOUND_MAX = 5;
const LOWEST = '00000000-0000-0000-0000-000000000000';
const HIGHEST = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** Whether a UUID can begin like this. */
export const isIdBeginning = (text: string): boolean =>
  text.length >= ID_PREFIX_MIN && isUuid(text + LOWEST.slice(text.length));

/** The ids that begin like this, at most five of them; with `agent` only of that agent. By the primary key. */
export async function idsBeginning(
  db: Sql,
  kind: IdKind,
  prefix: string,
  agent: string | undefined,
): Promise<string[]> {
  const begins = prefix.toLowerCase();
  let query = db
    .selectFrom(kind === 'action' ? 'any_action' : kind)
    .select('id')
    .where('id', '>=', begins + LOWEST.slice(begins.length))
    .where('id', '<=', begins + HIGHEST.slice(begins.length))
    .orderBy('id')
    .limit(FOUND_MAX);
  if (agent !== undefined) query = query.where('agent', '=', agent);
  return (await query.execute()).map(({ id }) => id);
}
