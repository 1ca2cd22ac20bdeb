import { type Actor, requireRole } from '../actor.ts';
import type { Sql } from '../db/database.ts';
import type { Agent } from '../domain/agent.ts';
import { isFloor, type RegressionCase } from '../domain/cases/case.ts';
import type { CaseVerdict } from '../domain/cases/result.ts';
import { runCase } from '../domain/cases/run.ts';
import { twinFits } from '../domain/cases/suite.ts';
import { caseWorld } from '../domain/cases/world.ts';
import type { Release } from '../domain/release.ts';
import { AppError } from '../errors.ts';
import { markReproduced } from '../incidents/close.ts';
import { manifestOf } from '../records/manifest.ts';
import { type ReleaseRow, releaseRow } from '../records/release.ts';
import type { Services } from '../services.ts';
import { guardIncidents } from './guard.ts';
import { type CaseRow, caseByName, recordChange, schemasDigest, whoIs } from './store.ts';

/** How long a case stands before somebody looks at it again. */
export const REVIEW_AFTER_DAYS = 180;

export interface AdmitInput {
  agent: string;
  name: string;
  /** Versions of the release that did harm, and of its fix. */
  redOn: string;
  greenOn: string;
}

/**
 * Holds releases to a case from now on. It must be red on one release and green on another, run here and now; what it expects
 * was written by somebody who applied neither of them; what it forbids has a twin that is green on the fix.
 * Its incident is reproduced then, and guarded where it is green in what is in force.
 * @throws AppError `forbidden`, `not_found`, `wrong_state`, `preflight_failed` with what is missing
 */
export async function admitCase(services: Services, actor: Actor, input: AdmitInput): Promise<CaseRow> {
  const { agent, name, redOn, greenOn } = input;
  requireRole(actor, ['release-manager'], agent);
  const [now, by] = [services.clock.now(), whoIs(actor)];
  return services.db.sql.transaction().execute(async (tx) => {
    const row = await caseByName(tx, agent, name, true);
    if (row.state !== 'proposed' || row.digest === null)
      throw new AppError('wrong_state', `Cannot admit case "${name}": it is ${row.state}`, {
        state: row.state,
      });
    const one = row.body as RegressionCase;
    const manifest = await manifestOf(tx, agent);
    const [harmful, fix] = [await releaseRow(tx, agent, redOn), await releaseRow(tx, agent, greenOn)];
    requireOther(row, [harmful, fix]);
    requireVerdict(one, manifest, harmful, 'red');
    requireVerdict(one, manifest, fix, 'green');
    const twins = await twinsOf(tx, one, manifest, fix.manifest);
    const reviewBy = new Date(now.getTime() + REVIEW_AFTER_DAYS * services.dayMs);
    const admit = (known: CaseRow, red: ReleaseRow | undefined) =>
      markAdmitted(tx, known, { red, fix, manifest, reviewBy, at: now, by });
    for (const twin of twins) if (twin.state === 'proposed') await admit(twin, undefined);
    const admitted = await admit(row, harmful);
    if (row.from_incident !== null)
      await markReproduced(tx, { incident: row.from_incident, case: name, at: now, by });
    await guardIncidents(tx, agent, { at: now, by });
    return admitted;
  });
}

interface Proof {
  /** None for a twin. */
  red: ReleaseRow | undefined;
  fix: ReleaseRow;
  manifest: Agent;
  reviewBy: Date;
  at: Date;
  by: string;
}

async function markAdmitted(tx: Sql, row: CaseRow, proof: Proof): Promise<CaseRow> {
  const { red, fix, manifest, reviewBy, at, by } = proof;
  const admitted = await tx
    .updateTable('regression_case')
    .set({
      state: 'admitted',
      red_on: red?.version ?? null,
      green_on: fix.version,
      red_digest: red?.digest ?? null,
      green_digest: fix.digest,
      admitted_at: at,
      admitted_by: by,
      schemas_digest: schemasDigest(row.body as RegressionCase, manifest),
      review_by: row.review_by ?? reviewBy,
      revision: row.revision + 1,
    })
    .where('agent', '=', row.agent)
    .where('name', '=', row.name)
    .returningAll()
    .executeTakeFirstOrThrow();
  const data = { ...(red && { redOn: red.digest }), greenOn: fix.digest };
  await recordChange(tx, admitted, { at, by, verb: 'admitted', data });
  return admitted;
}

/** Who wants it green must not be who wrote what green is. */
function requireOther({ name, expected_by }: CaseRow, releases: readonly ReleaseRow[]): void {
  const own = releases.find(({ created_by }) => created_by === expected_by);
  if (own)
    throw new AppError(
      'preflight_failed',
      `Cannot admit case "${name}": ${expected_by} wrote what it expects and applied release ${own.version}`,
      { hint: 'Let another person propose it' },
    );
}

function requireVerdict(one: RegressionCase, agent: Agent, release: ReleaseRow, verdict: CaseVerdict): void {
  const result = runCase(one, caseWorld(agent, release.manifest));
  if (result.verdict === verdict) return;
  throw new AppError(
    'preflight_failed',
    `Cannot admit case "${one.case}": on release ${release.version} it is ${result.verdict}, not ${verdict}: ${result.why}`,
    { verdict: result.verdict, release: release.version },
  );
}

/** Those that are green on the fix; what is only proposed is admitted with it. Locked in the order of their names. */
async function twinsOf(tx: Sql, one: RegressionCase, agent: Agent, fix: Release): Promise<CaseRow[]> {
  if (!isFloor(one)) return [];
  const rows = await tx
    .selectFrom('regression_case')
    .selectAll()
    .where('agent', '=', one.agent)
    .where('name', 'in', one.twins)
    .where('state', 'in', ['proposed', 'admitted'])
    .where('digest', 'is not', null)
    .orderBy('name')
    .forUpdate()
    .execute();
  const world = caseWorld(agent, fix);
  const twins = rows.filter(({ body }) => {
    const twin = body as RegressionCase;
    return twinFits(one, twin) && runCase(twin, world).verdict === 'green';
  });
  if (twins.length > 0) return twins;
  throw new AppError(
    'preflight_failed',
    `Cannot admit case "${one.case}": none of its twins is green on release ${fix.release}`,
    { hint: 'Propose a case of the same tool that must stay possible (atMost), and name it under twins' },
  );
}
