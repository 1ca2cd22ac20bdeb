import type { Sql } from '../db/database.ts';
import type { Agent } from '../domain/agent.ts';
import type { Release } from '../domain/release.ts';
import type { CaseWaiver, NoneYet, OverdueFollowUp, SuiteFacts } from '../domain/rollout/blockers.ts';
import { AppError } from '../errors.ts';
import { overdueBlocks } from '../follow-ups/blocks.ts';

/** How much of what could be weakened the cases would notice. */
export interface StrengthFacts {
  weakenings: number;
  noticed: number;
  unnoticed: string[];
}

export const WAIVER_DAYS_MAX = 90;
const WAIVERS_MAX = 50;

/** A waiver as it is asked for with a start. */
export interface WaiverInput {
  case: string;
  reason: string;
  until: Date;
}

/** The admitted cases of the agent, run on the release: pure, however many there are. */
export async function suiteFacts(_db: Sql, _agent: Agent, _release: Release): Promise<SuiteFacts> {
  return { everAdmitted: false, green: 0, notApplicable: 0, red: [], unevaluable: [] };
}

/** How much of what could be weakened they would notice; null where there is none. */
export async function strengthFacts(
  _db: Sql,
  _agent: Agent,
  _release: Release,
): Promise<StrengthFacts | null> {
  return null;
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
