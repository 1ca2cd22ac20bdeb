import type { Sql } from '../db/database.ts';
import type { Way } from '../domain/approval/reach.ts';
import type { ActionRow } from '../records/action.ts';

/** Somebody who was told in the open stage of an action, or could see it. */
export interface Told {
  person: string;
  /** When it was last found out. */
  ways: Way[];
  firstAt: Date;
}

/** Since when people are asked in the open stage. */
export const openedAt = ({ stage_opened_at, asked_at }: ActionRow): Date => stage_opened_at ?? asked_at;

/** Who was told in the open stage (the last one, once it is answered), whoever was first before. */
export async function toldOf(
  db: Sql,
  { id, round, stage }: Pick<ActionRow, 'id' | 'round' | 'stage'>,
): Promise<Told[]> {
  const rows = await db
    .selectFrom('action_reach')
    .select(['person', 'ways', 'first_at'])
    .where('action_id', '=', id)
    .where('round', '=', round)
    .where('stage', '=', stage)
    .orderBy('first_at')
    .orderBy('person')
    .execute();
  return rows.map(({ person, ways, first_at }) => ({ person, ways, firstAt: first_at }));
}

/** Keeps who is told now; who was told before and is not now stays as they were. */
export async function keepTold(
  tx: Sql,
  { id, round, stage }: ActionRow,
  told: Readonly<Record<string, readonly Way[]>>,
  now: Date,
): Promise<void> {
  const rows = Object.entries(told).map(([person, ways]) => ({
    action_id: id,
    round,
    stage,
    person,
    ways: [...ways],
    first_at: now,
  }));
  if (rows.length === 0) return;
  await tx
    .insertInto('action_reach')
    .values(rows)
    .onConflict((conflict) =>
      conflict
        .columns(['action_id', 'round', 'stage', 'person'])
        .doUpdateSet(({ ref }) => ({ ways: ref('excluded.ways') })),
    )
    .execute();
}

/** Notes that on-call is told of the open stage. False: they were. */
export async function noteAlert(
  tx: Sql,
  { id, round, stage }: Pick<ActionRow, 'id' | 'round' | 'stage'>,
  kind: string,
): Promise<boolean> {
  const noted = await tx
    .insertInto('action_alert')
    .values({ action_id: id, round, stage, kind })
    .onConflict((conflict) => conflict.doNothing())
    .returning('kind')
    .executeTakeFirst();
  return noted !== undefined;
}
