import type { Selectable } from 'kysely';
import type { Actor } from '../actor.ts';
import type { Sql } from '../db/database.ts';
import type { RegressionCaseTable } from '../db/tables-cases.ts';
import type { Agent } from '../domain/agent.ts';
import { CASES_MAX, type RegressionCase } from '../domain/cases/case.ts';
import { toolsOfCase } from '../domain/cases/suite.ts';
import { digestOf } from '../domain/digest.ts';
import { AppError } from '../errors.ts';
import { appendEntry } from '../records/log-entry.ts';

export type CaseRow = Selectable<RegressionCaseTable>;

/** The admitted cases of an agent, in the order of their names: what a release is held to. */
export async function suiteOf(db: Sql, agent: string): Promise<RegressionCase[]> {
  return (await suiteRows(db, agent)).map(({ body }) => body as RegressionCase);
}

/** The rows of the same. */
export const suiteRows = (db: Sql, agent: string): Promise<CaseRow[]> =>
  db
    .selectFrom('regression_case')
    .selectAll()
    .where('agent', '=', agent)
    .where('state', '=', 'admitted')
    .orderBy('name')
    .limit(CASES_MAX)
    .execute();

/** Undefined where there is none of that name. */
export function findCase(db: Sql, agent: string, name: string, lock = false): Promise<CaseRow | undefined> {
  const query = db
    .selectFrom('regression_case')
    .selectAll()
    .where('agent', '=', agent)
    .where('name', '=', name);
  return (lock ? query.forUpdate() : query).executeTakeFirst();
}

/** @throws AppError `not_found` */
export async function caseByName(db: Sql, agent: string, name: string, lock = false): Promise<CaseRow> {
  const row = await findCase(db, agent, name, lock);
  if (!row) throw new AppError('not_found', `Agent "${agent}" has no case "${name}"`);
  return row;
}

/** The arguments of every tool that a case asks for, as they are declared; a new digest is a case to be looked at. */
export const schemasDigest = (one: RegressionCase, { tools }: Pick<Agent, 'tools'>): string =>
  digestOf(toolsOfCase(one).map((tool) => [tool, tools[tool]?.args ?? null]));

/** Who does it, as a person where there is one. */
export const whoIs = (actor: Actor): string => actor.person ?? actor.id;

/** What became of a case: kept beside it and in the log. */
export interface CaseChange {
  at: Date;
  by: string;
  verb: 'proposed' | 'admitted' | 'expected' | 'retired' | 'unreproduced' | 'asked';
  reason?: string;
  data?: Record<string, unknown>;
}

/** Writes down a change of the row that `row` is after it. */
export async function recordChange(
  tx: Sql,
  { agent, name, revision, digest }: Pick<CaseRow, 'agent' | 'name' | 'revision' | 'digest'>,
  { at, by, verb, reason, data = {} }: CaseChange,
): Promise<void> {
  const values = { agent, name, revision, at, by, verb, reason: reason ?? null, digest };
  await tx
    .insertInto('regression_case_change')
    .values({ ...values, data: JSON.stringify(data) })
    .execute();
  await appendEntry(tx, {
    kind: `case.${verb}`,
    agent,
    ref: `${agent}/${name}`,
    at,
    actor: by,
    data: { ...data, case: name, digest, ...(reason !== undefined && { reason }) },
  });
}
