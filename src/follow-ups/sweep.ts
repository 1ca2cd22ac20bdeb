import { nextReminder } from '../domain/follow-up/ladder.ts';
import { raiseAlert } from '../records/alert.ts';
import type { Services } from '../services.ts';
import { checkOne, type FactSources } from './check.ts';
import { lockedFollowUp } from './find.ts';

const BATCH = 100;

/**
 * Evaluates what is due to be, then reminds: two days before the day, on it and daily after it, whatever became of the incident.
 * Each reminder commits with the alert that carries it, which is told at least once. Returns how many it reminded of.
 */
export async function sweepFollowUps(services: Services, sources: FactSources): Promise<number> {
  const now = services.clock.now();
  const { sql: db } = services.db;
  const toCheck = await db
    .selectFrom('follow_up')
    .select('id')
    .where('check_at', '<=', now)
    .orderBy('check_at')
    .limit(BATCH)
    .execute();
  for (const { id } of toCheck) await checkOne(services, id, sources);
  const toRemind = await db
    .selectFrom('follow_up')
    .select('id')
    .where('remind_at', '<=', now)
    .orderBy('remind_at')
    .limit(BATCH)
    .execute();
  for (const { id } of toRemind) await remind(services, id, now);
  if (toRemind.length > 0) services.wake();
  return toRemind.length;
}

async function remind({ db, dayMs }: Services, id: string, now: Date): Promise<void> {
  await db.sql.transaction().execute(async (tx) => {
    const row = await lockedFollowUp(tx, id);
    if (row.remind_at === null || row.remind_at > now || row.due_at === null) return;
    await raiseAlert(tx, 'follow_up.due', row.agent, now, {
      followUp: id,
      sentence: row.sentence,
      person: row.owner,
      dueAt: row.due_at.toISOString(),
      overdue: row.due_at < now,
      blocks: row.severity === 'high' && row.due_at < now,
      ...(row.incident_id !== null && { incident: row.incident_id }),
    });
    await tx
      .updateTable('follow_up')
      .set({
        remind_at: nextReminder(row.due_at, new Date(now.getTime() + 1), dayMs),
        reminders: row.reminders + 1,
      })
      .where('id', '=', id)
      .execute();
  });
}
