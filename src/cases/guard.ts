import type { Sql } from '../db/database.ts';
import type { RegressionCase } from '../domain/cases/case.ts';
import { findingOf } from '../domain/cases/run.ts';
import { type CaseWorld, caseWorld } from '../domain/cases/world.ts';
import { markGuarded } from '../incidents/close.ts';
import { manifestOf } from '../records/manifest.ts';
import { releasesInForce } from '../records/release.ts';
import type { Services } from '../services.ts';
import { findCase } from './store.ts';

/**
 * Whether a case is green on everything that is in force of the agent: what a follow-up waits for. False where there is no
 * such case, it is not admitted, or nothing is in force.
 */
export async function caseGreenInForce(db: Sql, agent: string, name: string): Promise<boolean> {
  const row = await findCase(db, agent, name);
  if (row?.state !== 'admitted') return false;
  return isGreen(row.body as RegressionCase, await worldsInForce(db, agent));
}

/** What each release that is in force would decide by. */
async function worldsInForce(db: Sql, agent: string): Promise<CaseWorld[]> {
  const manifest = await manifestOf(db, agent);
  return (await releasesInForce(db, agent)).map((release) => caseWorld(manifest, release));
}

const isGreen = (one: RegressionCase, worlds: readonly CaseWorld[]): boolean =>
  worlds.length > 0 && worlds.every((world) => findingOf(one, world).verdict === 'green');

/**
 * Incidents of an agent that a case reproduces and that is green in what is in force now: they are guarded. To be called when
 * a case is admitted and when something else comes into force.
 */
export async function guardIncidents(tx: Sql, agent: string, moved: { at: Date; by: string }): Promise<void> {
  const rows = await tx
    .selectFrom('regression_case')
    .innerJoin('incident', 'incident.id', 'regression_case.from_incident')
    .select(['regression_case.name', 'regression_case.body', 'incident.id'])
    .where('regression_case.agent', '=', agent)
    .where('regression_case.state', '=', 'admitted')
    .where('regression_case.from_incident', 'is not', null)
    .where('incident.state', '=', 'reproduced')
    .orderBy('incident.id')
    .limit(1_000)
    .execute();
  if (rows.length === 0) return;
  const worlds = await worldsInForce(tx, agent);
  for (const { name, body, id } of rows)
    if (isGreen(body as RegressionCase, worlds))
      await markGuarded(tx, { incident: id, case: name, ...moved });
}

/**
 * The same when something else has come into force, after that is committed and in a transaction of its own: it holds up no
 * decision, and what it cannot do is logged and left to the next time.
 */
export async function guardSince(
  { db, log }: Pick<Services, 'db' | 'log'>,
  agent: string,
  moved: { at: Date; by: string },
): Promise<void> {
  try {
    await db.sql.transaction().execute((tx) => guardIncidents(tx, agent, moved));
  } catch (error) {
    log.error({ err: error, agent }, 'incidents that cases guard against now are still to be marked');
  }
}
