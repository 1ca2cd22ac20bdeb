import { sql } from 'kysely';
import { openFindings } from '../domain/incident/findings.ts';
import type { Services } from '../services.ts';
import { newIncidentId, openIncident } from './open.ts';

/** A stop that has not closed the gate this long after it was asked for is late. */
export const STOP_LATE_MS = 5_000;
const BATCH = 20;
const LOOKED_BACK_MS = 86_400_000;

/**
 * Opens one incident for each stop that closed the gate late or has not yet, whoever asked for it. Stops are looked at by
 * their number from the last one that was settled: it costs what came since. Returns how many it opened.
 */
export async function openLateStops(
  { db, clock, dayMs }: Pick<Services, 'db' | 'clock' | 'dayMs'>,
  settled: { id?: number },
): Promise<number> {
  const now = clock.now();
  settled.id ??= await lastBefore(db, new Date(now.getTime() - LOOKED_BACK_MS));
  const { rows } = await sql<{ id: number; scope: string; actor: string; at: Date; closed_at: Date | null }>`
    SELECT id, scope, actor, at, closed_at FROM stop_intent WHERE id > ${settled.id} ORDER BY id LIMIT ${BATCH}`.execute(
    db.sql,
  );
  let opened = 0;
  let mayStillClose = false;
  for (const stop of rows) {
    const lateMs = (stop.closed_at ?? now).getTime() - stop.at.getTime();
    if (lateMs > STOP_LATE_MS && (await openOne({ db, dayMs }, stop, now))) opened++;
    mayStillClose ||= stop.closed_at === null && lateMs <= STOP_LATE_MS;
    if (!mayStillClose) settled.id = stop.id;
  }
  return opened;
}

/** Once for each process: what is older was told long ago. */
async function lastBefore(db: Services['db'], at: Date): Promise<number> {
  const { rows } = await sql<{ id: number }>`
    SELECT coalesce(max(id), 0)::int AS id FROM stop_intent WHERE at < ${at}`.execute(db.sql);
  return rows[0]?.id ?? 0;
}

async function openOne(
  { db, dayMs }: Pick<Services, 'db' | 'dayMs'>,
  stop: { id: number; scope: string; actor: string; at: Date; closed_at: Date | null },
  now: Date,
): Promise<boolean> {
  const { rows } = await sql<{ agent: string | null; tool: string | null }>`
    SELECT agent, tool FROM stop_scope(${stop.scope})`.execute(db.sql);
  const agent = rows[0]?.agent ?? null;
  const agents =
    agent === null ? await db.sql.selectFrom('agent').select('name').orderBy('name').limit(1).execute() : [];
  const about = agent ?? agents[0]?.name;
  if (about === undefined) return false;
  const closed =
    stop.closed_at === null
      ? 'has not closed the gate yet'
      : `closed the gate after ${stop.closed_at.getTime() - stop.at.getTime()} ms`;
  return db.sql.transaction().execute((tx) =>
    openIncident(tx, {
      id: newIncidentId(),
      agent: about,
      because: 'late_stop',
      tool: rows[0]?.tool ?? undefined,
      title: `Late stop: ${stop.scope} ${closed}`,
      at: now,
      by: 'sweeper',
      dayMs,
      severity: 'high',
      evidence: {
        stop: stop.id,
        scope: stop.scope,
        askedAt: stop.at.toISOString(),
        closedAt: stop.closed_at?.toISOString(),
      },
      findings: openFindings().map((one) =>
        one.mechanism === 'late_stop' ? { ...one, answer: 'ask', likely: true } : one,
      ),
      ends: [],
      restartsEvidence: false,
      source: `stop:${stop.id}`,
    }),
  );
}
