import type { Actor } from '../actor.ts';
import { queueFor } from '../approvals/queue.ts';
import { LIMITS } from '../cards/blocks/limits.ts';
import { cut, dateText, inline, link } from '../cards/blocks/mrkdwn.ts';
import { actionUrl } from '../links.ts';
import type { ActionRow } from '../records/action.ts';
import type { Services } from '../services.ts';

const LISTED_MAX = 15;
const SUMMARY_MAX = 140;

/** What waits for a person, over all agents, oldest first, each with its page. */
export async function queueText(services: Services, actors: readonly Actor[]): Promise<string> {
  const waiting: ActionRow[] = [];
  for (const actor of actors) waiting.push(...(await queueFor(services, actor)));
  if (waiting.length === 0) return 'Nothing waits for you.';
  waiting.sort((a, b) => a.asked_at.getTime() - b.asked_at.getTime() || (a.id < b.id ? -1 : 1));
  const lines = waiting.slice(0, LISTED_MAX).map((action) => lineOf(services.publicUrl, action));
  const queue = link(`${services.publicUrl.replace(/\/$/, '')}/queue`, 'all of them');
  return cut(
    [
      `*${waiting.length} ${waiting.length === 1 ? 'waits' : 'wait'} for you*, oldest first:`,
      ...lines,
      ...(waiting.length > LISTED_MAX ? [`and ${waiting.length - LISTED_MAX} more: ${queue}`] : []),
    ].join('\n'),
    LIMITS.text,
  );
}

function lineOf(publicUrl: string, { id, summary, agent, risk, expires_at }: ActionRow): string {
  const shown = summary.length > SUMMARY_MAX ? `${summary.slice(0, SUMMARY_MAX)}…` : summary;
  const until = expires_at ? `, expires ${dateText(expires_at)}` : '';
  return `• ${link(actionUrl(publicUrl, id), shown)} (${inline(agent, 63)}, risk ${risk}${until})`;
}
