import { type Actor, requireRole } from '../actor.ts';
import type { Agent } from '../domain/agent.ts';
import type { RegressionCase } from '../domain/cases/case.ts';
import { runSuite, type SuiteResult } from '../domain/cases/suite.ts';
import type { Release } from '../domain/release.ts';
import { AppError } from '../errors.ts';
import { manifestOf } from '../records/manifest.ts';
import { releaseByVersion } from '../records/release.ts';
import type { Services } from '../services.ts';
import { type CaseRow, schemasDigest, suiteRows } from './store.ts';

/** So long may a case stand whose tools take other arguments than when it was admitted. */
export const MIGRATE_WITHIN_DAYS = 14;

/** What the admitted cases of an agent say of a release, and which of them somebody has to look at. */
export interface StoredSuiteResult extends SuiteResult {
  /** The arguments of their tools changed: after 14 days they are red. */
  needsMigration: string[];
  /** Nobody looked at them for too long. */
  reviewOverdue: string[];
}

/**
 * Runs what an agent is held to on a release that it has, or on another one.
 * @throws AppError `forbidden`, `unknown_agent`, `not_found`, `invalid_input`
 */
export async function runCases(
  services: Pick<Services, 'db' | 'clock' | 'dayMs'>,
  actor: Actor,
  { agent, release }: { agent: string; release: string | Release },
): Promise<StoredSuiteResult> {
  requireRole(actor, ['release-manager', 'on-call', 'auditor', 'approver'], agent);
  const { sql: db } = services.db;
  const manifest = await manifestOf(db, agent);
  const candidate = typeof release === 'string' ? await releaseByVersion(db, agent, release) : release;
  if (candidate.agent !== agent)
    throw new AppError('invalid_input', `Release ${candidate.release} is of agent "${candidate.agent}"`);
  return suiteResultOf(services, manifest, candidate, await suiteRows(db, agent));
}

/** The same of rows that are read already: for a preflight. Marks nothing. */
export function suiteResultOf(
  { clock, dayMs }: Pick<Services, 'clock' | 'dayMs'>,
  manifest: Agent,
  release: Release,
  rows: readonly CaseRow[],
): StoredSuiteResult {
  const now = clock.now();
  const bodies = rows.map(({ body }) => body as RegressionCase);
  const stale = new Map(rows.filter((row) => isStale(row, manifest)).map((row) => [row.name, row]));
  const suite = runSuite({ agent: manifest, release }, bodies);
  const overdue = (row: CaseRow | undefined): boolean =>
    row?.stale_since != null && now.getTime() - row.stale_since.getTime() > MIGRATE_WITHIN_DAYS * dayMs;
  const results = suite.results.map((one) =>
    one.verdict !== 'green' || !overdue(stale.get(one.case))
      ? one
      : {
          ...one,
          verdict: 'red' as const,
          why: `The arguments of its tool changed more than ${MIGRATE_WITHIN_DAYS} days ago, and nobody looked at it`,
        },
  );
  const turned = results.filter(({ verdict }) => verdict === 'red').length - suite.red;
  return {
    ...suite,
    results,
    red: suite.red + turned,
    green: suite.green - turned,
    needsMigration: [...stale.keys()],
    reviewOverdue: rows
      .filter(({ review_by }) => review_by !== null && review_by < now)
      .map(({ name }) => name),
  };
}

const isStale = (row: CaseRow, manifest: Agent): boolean =>
  row.schemas_digest !== null && row.schemas_digest !== schemasDigest(row.body as RegressionCase, manifest);
