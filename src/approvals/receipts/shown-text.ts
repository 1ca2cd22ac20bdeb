import type { Sql } from '../../db/database.ts';
import type { StandingWish } from '../../db/tables-action.ts';
import type { Agent } from '../../domain/agent.ts';
import { namingNobody } from '../../domain/naming.ts';
import { describeStages } from '../../domain/release.ts';
import type { ActionRow } from '../../records/action.ts';
import { shownArgs } from '../../records/args.ts';
import { deniedBefore } from '../denied-before.ts';

/** Keeps what a card said at one version, so that a click on it can be proved later. */
export async function keepShown(db: Sql, actionId: string, version: number, text: string): Promise<void> {
  await db
    .insertInto('card_text')
    .values({ action_id: actionId, version, text })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** What page, CLI and API show of an action that waits: the whole of it, redacted, in plain lines. */
export async function recordText(db: Sql, action: ActionRow, agent: Agent): Promise<string> {
  const args = await shownArgs(db, action, agent);
  const denied = await deniedBefore(db, action);
  return [
    action.summary,
    `Agent: ${action.agent}, version ${action.agent_version}`,
    `Tool: ${action.tool}, risk ${action.risk}`,
    `Segment: ${action.segment ?? 'none'}, release ${action.release ?? 'none'}, ${action.arm}`,
    `Asked by: ${action.asked_by}${action.behind.length > 0 ? ` for ${action.behind.join(', ')}` : ''}`,
    ...strangerLines(agent, action),
    ...(action.why ? [`The agent's reason: ${action.why}`] : []),
    ...denied.map(
      ({ person, at, reason }) =>
        `Denied before: the same by ${person}, ${at.toISOString()}${reason ? `: ${reason}` : ''}`,
    ),
    ...(action.approval ? [`Asks: ${describeStages(action.approval)}`] : []),
    `Arguments: ${args === undefined ? 'erased' : JSON.stringify(args, null, 2)}`,
    ...(action.standing_wish ? [wishLine(action.standing_wish)] : []),
    `Action ${action.id}, revision ${action.revision}, digest ${action.args_digest}, epoch ${action.epoch}`,
  ].join('\n');
}

function strangerLines(agent: Agent, { behind }: ActionRow): string[] {
  const strangers = namingNobody(agent, behind);
  return strangers.length > 0 ? [`Nobody of this agent: ${strangers.join(', ')}`] : [];
}

/** What is approved along with an action whose approval carries this wish. */
export const wishLine = ({ maxUses, forMs, envelope, by }: StandingWish): string =>
  `The like of it too, as ${by} wished: at most ${maxUses} times within ${forMs / 60_000} minutes, where ${envelope}`;
