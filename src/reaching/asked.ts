import { sql } from 'kysely';
import { readEligibility } from '../approvals/eligibility.ts';
import type { Sql } from '../db/database.ts';
import type { Route } from '../domain/approval/approval.ts';
import { approversOf, rightToApprove } from '../domain/approval/approval.ts';
import type { Way } from '../domain/approval/reach.ts';
import type { ActionRow } from '../records/action.ts';
import { toldOf } from './told.ts';

/** Where an action stands in the queue of those who are asked, from 1. */
export interface QueuePlace {
  position: number;
  ahead: number;
}

/** The groups that are asked in the open stage of an action, those it was passed on to included. */
const OPEN_GROUPS = (alias: string) =>
  sql.raw(`(
  SELECT need ->> 'group' AS grp FROM jsonb_array_elements(${alias}.approval -> 'stages' -> ${alias}.stage) AS need
  UNION SELECT route ->> 'group' FROM jsonb_array_elements(${alias}.routed) AS route
  WHERE (route ->> 'stage')::int = ${alias}.stage)`);

/**
 * How many actions of the same agent wait for longer and ask one of the groups that this one asks now. `undefined`: it
 * does not wait.
 */
export async function queueOf(
  db: Sql,
  { id, state }: Pick<ActionRow, 'id' | 'state'>,
): Promise<QueuePlace | undefined> {
  if (state !== 'pending') return undefined;
  const { rows } = await sql<{ ahead: string | number }>`
    SELECT count(*) AS ahead FROM action a
      JOIN open_action w ON w.agent = a.agent AND w.state = 'pending' AND (w.asked_at, w.id) < (a.asked_at, a.id)
      JOIN action o ON o.id = w.id
    WHERE a.id = ${id} AND EXISTS (
      SELECT 1 FROM ${OPEN_GROUPS('a')} x JOIN ${OPEN_GROUPS('o')} y ON y.grp = x.grp)`.execute(db);
  const ahead = Number(rows[0]?.ahead ?? 0);
  return { position: ahead + 1, ahead };
}

/** One of those who were asked. */
export interface AskedPerson {
  person: string;
  /** The groups by which they may answer now; none: they were told, and may not answer any more. */
  groups: string[];
  /** Why they are asked: by the release, or because it was passed on to a group of theirs. */
  because: 'asked' | Route['because'];
  /** How they were told, or can see it; empty: nobody told them. */
  told: Way[];
  /** When they were told first, ISO 8601. */
  at?: string;
}

/** Who is asked in the open stage of an action (the last one, once it is answered), by which groups, how and since when. */
export async function askedOf(db: Sql, action: ActionRow, now: Date): Promise<AskedPerson[]> {
  const eligibility = await readEligibility(db, action, now);
  const may = approversOf(eligibility, action);
  const told = new Map((await toldOf(db, action)).map((one) => [one.person, one]));
  return [...new Set([...may, ...told.keys()])].map((person) => {
    const found = rightToApprove(person, eligibility, action);
    const groups = 'right' in found ? found.right.options.map(({ group }) => group) : [];
    const known = told.get(person);
    return {
      person,
      groups: [...new Set(groups)],
      because: becauseOf(action, groups),
      told: known?.ways ?? [],
      ...(known ? { at: known.firstAt.toISOString() } : {}),
    };
  });
}

function becauseOf(
  { approval, stage, routed }: ActionRow,
  groups: readonly string[],
): AskedPerson['because'] {
  const asked = (approval?.stages[stage] ?? []).some(({ group }) => groups.includes(group));
  const route = routed.find((one) => one.stage === stage && groups.includes(one.group));
  return asked || !route ? 'asked' : route.because;
}
