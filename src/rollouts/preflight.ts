import type { Sql } from '../db/database.ts';
import { agentsWordText, onAgentsWord } from '../domain/subject.ts';
import { manifestOf } from '../records/manifest.ts';
import type { RolloutRecord } from '../records/rollout.ts';

/** What does not keep a rollout from starting, and whoever starts it should know. */
export async function preflightNotes(
  db: Sql,
  { agent, plan }: Pick<RolloutRecord, 'agent' | 'plan'>,
): Promise<string[]> {
  const segments = onAgentsWord(await manifestOf(db, agent), plan.subject);
  if (segments.length === 0) return [];
  return [
    `${agentsWordText(segments)}. At most ${plan.newSubjectsPerHour} new ones an hour are assigned to an arm, the others stay in control (rollout.newSubjectsPerHour). Better: subject: assertion.sub, or context.<attribute>`,
  ];
}
