import { type ActionRow, actionById, privateOf } from '../../actions/store.ts';
import { readStanding } from '../../approvals/standing.ts';
import type { Services } from '../../context.ts';
import type { Sql } from '../../db/database.ts';
import type { DecisionTable } from '../../db/tables-action.ts';
import type { Tool } from '../../domain/agent.ts';
import { approversOf } from '../../domain/approval.ts';
import { parseRedactPath, redact } from '../../domain/redact.ts';

/** Everything an action's card says: its record and what the manifest says of its tool. */
export interface CardFacts {
  /** Rises with everything that changes what the card says; a copy that shows less is behind. */
  version: number;
  action: ActionRow;
  tool: Pick<Tool, 'risk' | 'reversibility' | 'undo' | 'consequence' | 'advisory'> | undefined;
  /** Redacted; `undefined` once erased. */
  args: Readonly<Record<string, unknown>> | undefined;
  decisions: readonly Pick<DecisionTable, 'person' | 'verdict' | 'at' | 'via' | 'reason'>[];
  /** Who ended it and why, where the row does not say: withdrawn, superseded, disabled. */
  ended: { by: string; reason?: string; at: Date } | undefined;
  /** Names of the people of the agent, by id. */
  names: Readonly<Record<string, string>>;
  /** Who may decide, of the approver group. */
  approvers: readonly string[];
  testMode: boolean;
  dayMs: number;
  publicUrl: string;
  /** Where the agent's cards go; `undefined`: nowhere. */
  channel: string | undefined;
}

const ENDED_KINDS = ['action.withdrawn', 'action.superseded', 'action.disabled', 'action.expired'];

/** Reads what the card shows. The version is read first: what is newer than it is shown again next time. */
export async function readCardFacts(
  { db, clock, publicUrl, dayMs }: Pick<Services, 'db' | 'clock' | 'publicUrl' | 'dayMs'>,
  id: string,
): Promise<CardFacts> {
  const version = await cardVersion(db.sql, id);
  const action = await actionById(db.sql, id);
  const standing = await readStanding(db.sql, action, clock.now());
  const { agent } = standing;
  const kept = await privateOf(db.sql, id);
  const decisions = await db.sql
    .selectFrom('decision')
    .select(['person', 'verdict', 'at', 'via', 'reason'])
    .where('action_id', '=', id)
    .where('round', '=', action.round)
    .orderBy('at')
    .orderBy('person')
    .execute();
  const tool = Object.hasOwn(agent.tools, action.tool) ? agent.tools[action.tool] : undefined;
  return {
    version,
    action,
    tool,
    args: kept && redact(tool && { redactions: tool.redact.map(parseRedactPath) }, JSON.parse(kept.args)),
    decisions,
    ended: await endOf(db.sql, id),
    names: Object.fromEntries(
      Object.entries(agent.people).map(([person, { name }]) => [person, name ?? person]),
    ),
    approvers: approversOf(standing, action),
    testMode: agent.testMode,
    dayMs,
    publicUrl,
    channel: agent.slack.channel,
  };
}

/** Twice the number of log entries about the action, and one more once it is erased. */
export async function cardVersion(db: Sql, id: string): Promise<number> {
  const { count } = await db
    .selectFrom('log_entry')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('ref', '=', id)
    .where('kind', 'like', 'action.%')
    .executeTakeFirstOrThrow();
  return Number(count) * 2 + ((await privateOf(db, id)) ? 0 : 1);
}

async function endOf(db: Sql, id: string): Promise<CardFacts['ended']> {
  const entry = await db
    .selectFrom('log_entry')
    .select(['body', 'at'])
    .where('ref', '=', id)
    .where('kind', 'in', ENDED_KINDS)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (!entry) return undefined;
  const { actor, data } = JSON.parse(entry.body) as { actor: string; data?: Record<string, unknown> };
  const reason = data?.reason ?? data?.because;
  return { by: actor, at: entry.at, ...(typeof reason === 'string' ? { reason } : {}) };
}
