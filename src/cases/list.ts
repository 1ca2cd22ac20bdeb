import { type Actor, requireOwn, requireRole } from '../actor.ts';
import type { Sql } from '../db/database.ts';
import type { CaseState } from '../db/tables-cases.ts';
import { CASES_MAX } from '../domain/cases/case.ts';
import { AppError } from '../errors.ts';
import { type CaseRow, caseByName } from './store.ts';

const READERS = ['release-manager', 'on-call', 'auditor', 'approver'] as const;

/** The cases of an agent by name; a token of one agent sees its own. @throws AppError `forbidden` */
export async function listCases(
  db: Sql,
  actor: Actor,
  { agent, state }: { agent: string; state?: CaseState },
): Promise<CaseRow[]> {
  requireRole(actor, READERS, agent);
  const query = db.selectFrom('regression_case').selectAll().where('agent', '=', agent);
  return (state ? query.where('state', '=', state) : query).orderBy('name').limit(CASES_MAX).execute();
}

/** One of them and what became of it, the oldest first. @throws AppError `forbidden`, `not_found` */
export async function readCaseOf(db: Sql, actor: Actor, { agent, name }: { agent: string; name: string }) {
  requireRole(actor, READERS);
  requireOwn(actor, { agent }, new AppError('not_found', `Agent "${agent}" has no case "${name}"`));
  const row = await caseByName(db, agent, name);
  const changes = await db
    .selectFrom('regression_case_change')
    .selectAll()
    .where('agent', '=', agent)
    .where('name', '=', name)
    .orderBy('revision')
    .limit(1_000)
    .execute();
  return { row, changes };
}
