import { waitingLike } from '../approvals/alike.ts';
import { answerersOf } from '../approvals/answerers.ts';
import { type DeniedBefore, deniedBefore } from '../approvals/denied-before.ts';
import { readEligibility } from '../approvals/eligibility.ts';
import type { Sql } from '../db/database.ts';
import type { Tool } from '../domain/agent.ts';
import { redactArgs } from '../domain/decision/redact.ts';
import { namingNobody } from '../domain/naming.ts';
import { type ActionRow, actionById, privateOf } from '../records/action.ts';
import type { GivenAnswer } from '../records/answer.ts';
import { toolAsAsked } from '../records/args.ts';
import type { Services } from '../services.ts';
import { type CardChanges, readChanges } from './changes-facts.ts';
import { type CardStanding, type RunUnder, readStandingApprovals } from './standing-approval-facts.ts';

/** Everything an action's card says: its record and what the manifest says of its tool. */
export interface CardFacts extends CardChanges {
  action: ActionRow;
  /** As the manifest has it now; the risk of this very call stands in the action. */
  tool: Pick<Tool, 'reversibility' | 'undo' | 'consequence' | 'advisory'> | undefined;
  /** Redacted; `undefined` once erased. */
  args: Readonly<Record<string, unknown>> | undefined;
  /** On the arguments as they are now. */
  decisions: readonly GivenAnswer[];
  /** How many approved earlier arguments: they do not count. */
  lapsed: number;
  /** Of those it says are behind it, whoever is nobody of the agent. */
  strangers: readonly string[];
  /** Names of the people of the agent, by id. */
  names: Readonly<Record<string, string>>;
  /** Who may answer now and has not. */
  approvers: readonly string[];
  /** For whom, of those who answer as somebody's deputy. */
  lent: Readonly<Record<string, string>>;
  /** Groups it asks of which nobody counts, because they could not be read for too long. */
  stale: readonly string[];
  /** How many others wait and are like it. */
  alike: number;
  /** Who denied the same before it was asked. */
  denied: readonly DeniedBefore[];
  /** What was approved with it for a while. */
  standings: readonly CardStanding[];
  /** By which standing approval it ran. */
  under: RunUnder | undefined;
  testMode: boolean;
  dayMs: number;
  publicUrl: string;
  /** Where the agent's cards go; `undefined`: nowhere. */
  channel: string | undefined;
}

/** Reads what the card shows, the row with its version first: what is newer than it is shown again next time. */
export async function readCardFacts(
  { db, clock, publicUrl, dayMs }: Pick<Services, 'db' | 'clock' | 'publicUrl' | 'dayMs'>,
  id: string,
): Promise<CardFacts> {
  const action = await actionById(db.sql, id);
  const eligibility = await readEligibility(db.sql, action, clock.now());
  const { agent } = eligibility;
  const kept = await privateOf(db.sql, id);
  const decisions = await decisionsOf(db.sql, id);
  const current = decisions.filter(({ round }) => round === action.round);
  const tool = toolAsAsked(agent, action);
  const args = kept && (JSON.parse(kept.args) as Record<string, unknown>);
  const pending = action.state === 'pending';
  return {
    action,
    tool,
    args: args && redactArgs(tool, args),
    decisions: current,
    lapsed: decisions.filter(({ round, verdict }) => round < action.round && verdict === 'approve').length,
    strangers: namingNobody(agent, action.behind),
    names: Object.fromEntries(
      Object.entries(agent.people).map(([person, { name }]) => [person, name ?? person]),
    ),
    ...(pending ? answerersOf(eligibility, action, current) : { approvers: [], lent: {} }),
    stale: eligibility.stale,
    denied: await deniedBefore(db.sql, action),
    alike: pending ? await waitingLike(db.sql, action) : 0,
    ...(await readChanges(db.sql, action, args, tool)),
    ...(await readStandingApprovals(db.sql, action)),
    testMode: agent.testMode,
    dayMs,
    publicUrl,
    channel: agent.slack.channel,
  };
}

/** The version of what the card of an action says now. */
export async function cardVersion(db: Sql, id: string): Promise<number> {
  const { card_version } = await db
    .selectFrom('action')
    .select('card_version')
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  return card_version;
}

async function decisionsOf(db: Sql, id: string): Promise<(GivenAnswer & { round: number })[]> {
  return db
    .selectFrom('decision')
    .select([
      'person',
      'for_person',
      'verdict',
      'at',
      'via',
      'reason',
      'round',
      'stage',
      'options',
      'slot',
      'grp',
    ])
    .where('action_id', '=', id)
    .orderBy('at')
    .orderBy('person')
    .execute();
}
