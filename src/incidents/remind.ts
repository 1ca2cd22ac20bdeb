import { raiseAlert } from '../records/alert.ts';
import type { Services } from '../services.ts';

const BATCH = 100;

/** Reminds of incidents that nobody classified in time, daily until somebody does. Returns how many. */
export async function remindUnclassified(services: Services): Promise<number> {
  const now = services.clock.now();
  const due = await services.db.sql
    .selectFrom('incident')
    .select('id')
    .where('remind_at', '<=', now)
    .orderBy('remind_at')
    .limit(BATCH)
    .execute();
  for (const { id } of due)
    await services.db.sql.transaction().execute(async (tx) => {
      const row = await tx
        .updateTable('incident')
        .set({ remind_at: new Date(now.getTime() + services.dayMs) })
        .where('id', '=', id)
        .where('remind_at', '<=', now)
        .where('state', '=', 'open')
        .where('merged_into', 'is', null)
        .returning(['agent', 'title', 'owner', 'classify_by', 'segment', 'tool'])
        .executeTakeFirst();
      if (row)
        await raiseAlert(tx, 'incident.unclassified', row.agent, now, {
          incident: id,
          summary: row.title,
          person: row.owner ?? undefined,
          segment: row.segment ?? undefined,
          tool: row.tool ?? undefined,
        });
      else await tx.updateTable('incident').set({ remind_at: null }).where('id', '=', id).execute();
    });
  if (due.length > 0) services.wake();
  return due.length;
}
