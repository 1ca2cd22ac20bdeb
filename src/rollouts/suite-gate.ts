import { suiteResultOf } from '../cases/run.ts';
import { suiteOf, suiteRows } from '../cases/store.ts';
import type { Sql } from '../db/database.ts';
import type { Agent } from '../domain/agent.ts';
import { strengthOf } from '../domain/cases/strength.ts';
import type { Release } from '../domain/release.ts';
import type { CaseWaiver, NoneYet, OverdueFollowUp, SuiteFacts } from '../domain/rollout/blockers.ts';
import { AppError } from '../errors.ts';
import { overdueBlocks } from '../follow-ups/blocks.ts';
import type { Services } from '../services.ts';

/** How much of what could be weakened the cases would notice. */
export interface StrengthFacts {
  weakenings: number;
  noticed: number;
  unnoticed: string[];
}

export const WAIVER_DAYS_MAX = 90;
const WAIVERS_MAX = 50;
/** With more of them `portcullis cases strength` says it, without holding up the service. */
const STRENGTH_CASES_MAX = 200;

export type SuiteServices = Pick<Services, 'db' | 'clock' | 'dayMs'>;

/** A waiver as it is asked for with a start. */
export interface WaiverInput {
  case: string;
  reason: string;
  until: Date;
}

/** The admitted cases of the agent, run on the release: pure, without network, issuer or clock of its own. */
export async function suiteFacts(
  { db, clock, dayMs }: SuiteServices,
  manifest: Agent,
  release: Release,
): Promise<SuiteFacts> {
  const rows = await suiteRows(db.sql, manifest.agent);
  const { green, notApplicable, results } = suiteResultOf({ clock, dayMs }, manifest, release, rows);
  const lines = (wanted: string) =>
    results.filter(({ verdict }) => verdict === wanted).map((one) => ({ case: one.case, why: one.why }));
  return {
    everAdmitted: rows.length > 0 || (await everAdmitted(db.sql, manifest.agent)),
    green,
    notApplicable,
    red: lines('red'),
    unevaluable: lines('unevaluable'),
  };
}

async function everAdmitted(db: Sql, agent: string): Promise<boolean> {
  const row = await db
    .selectFrom('regression_case')
    .select('name')
    .where('agent', '=', agent)
    .where('admitted_at', 'is not', null)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** How much of what could be weakened they would notice; null where there is none, or more than are tried while somebody waits. */
export async function strengthFacts(
  { db }: Pick<SuiteServices, 'db'>,
  manifest: Agent,
  release: Release,
): Promise<StrengthFacts | null> {
  const cases = await suiteOf(db.sql, manifest.agent);
  if (cases.length === 0 || cases.length > STRENGTH_CASES_MAX) return null;
  const { weakenings, noticed, all } = strengthOf(manifest, release, cases);
  return {
    weakenings,
    noticed,
    unnoticed: all.filter(({ noticedBy }) => noticedBy === undefined).map(({ says }) => says),
  };
}

/** Waivers of the agent that have not ended. */
export async function liveWaivers(db: Sql, agent: string, now: Date): Promise<CaseWaiver[]> {
  const rows = await db
    .selectFrom('case_waiver')
    .select(['case_name as case', 'person', 'reason', 'until'])
    .where('agent', '=', agent)
    .where('until', '>', now)
    .orderBy('until')
    .orderBy('case_name')
    .execute();
  return rows;
}

export async function noneYetOf(db: Sql, agent: string): Promise<NoneYet | undefined> {
  return db
    .selectFrom('none_yet')
    .select(['person', 'reason', 'at'])
    .where('agent', '=', agent)
    .executeTakeFirst();
}

/** Committed follow-ups of high severity whose day is over and that nobody waived. */
export async function overdueOf(db: Sql, agent: string, now: Date): Promise<OverdueFollowUp[]> {
  const rows = await overdueBlocks(db, agent, now);
  return rows.map(({ id, sentence, owner, due_at }) => ({
    id,
    sentence,
    owner: owner ?? 'nobody',
    dueAt: due_at ?? now,
  }));
}

/** @throws AppError `invalid_input` for one without an end, or one too far away */
export function checkWaivers(waivers: readonly WaiverInput[], now: Date, dayMs: number): void {
  if (waivers.length > WAIVERS_MAX)
    throw new AppError('invalid_input', `Cannot waive ${waivers.length} cases: at most ${WAIVERS_MAX}`);
  for (const { case: name, until } of waivers) {
    if (until > now && until.getTime() - now.getTime() <= WAIVER_DAYS_MAX * dayMs) continue;
    throw new AppError(
      'invalid_input',
      `Cannot waive case "${name}" until ${until.toISOString()}: a waiver ends within ${WAIVER_DAYS_MAX} days`,
    );
  }
}
