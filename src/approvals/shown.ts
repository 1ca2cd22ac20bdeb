import type { ActionRow } from '../actions/store.ts';
import { shownArgs } from '../actions/view.ts';
import type { Sql } from '../db/database.ts';
import { describeStages } from '../domain/release.ts';

/** Keeps what a card said at one version, so that a click on it can be proved later. */
export async function keepShown(db: Sql, actionId: string, version: number, text: string): Promise<void> {
  await db
    .insertInto('card_text')
    .values({ action_id: actionId, version, text })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** The text of the clicked version of the card; where none was clicked, or it was not kept, what the record says now. */
export async function shownText(
  tx: Sql,
  action: ActionRow,
  version: number | undefined,
): Promise<{ text: string; version: number | null }> {
  if (version !== undefined) {
    const kept = await tx
      .selectFrom('card_text')
      .select('text')
      .where('action_id', '=', action.id)
      .where('version', '=', version)
      .executeTakeFirst();
    if (kept?.text) return { text: kept.text, version };
  }
  return { text: await recordText(tx, action), version: null };
}

/** What page, CLI and API show of an action that waits: the whole of it, redacted, in plain lines. */
async function recordText(tx: Sql, action: ActionRow): Promise<string> {
  const args = await shownArgs(tx, action);
  return [
    action.summary,
    `Agent: ${action.agent}, version ${action.agent_version}`,
    `Tool: ${action.tool}, risk ${action.risk}`,
    `Segment: ${action.segment ?? 'none'}, release ${action.release ?? 'none'}, ${action.arm}`,
    `Asked by: ${action.asked_by}${action.behind.length > 0 ? ` for ${action.behind.join(', ')}` : ''}`,
    ...(action.why ? [`The agent's reason: ${action.why}`] : []),
    ...(action.approval ? [`Asks: ${describeStages(action.approval)}`] : []),
    `Arguments: ${args === undefined ? 'erased' : JSON.stringify(args, null, 2)}`,
    `Action ${action.id}, revision ${action.revision}, digest ${action.args_digest}, epoch ${action.epoch}`,
  ].join('\n');
}
