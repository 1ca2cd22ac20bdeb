import type { Actor } from '../../actor.ts';
import type { StandingApprovalRow } from '../../approvals/standing/store.ts';
import { STANDING_ENDED_WORDS } from '../../domain/words.ts';
import type { ActionRow } from '../../records/action.ts';
import type { Services } from '../../services.ts';
import { revokeForm } from './after-forms.ts';
import { type Html, html } from './html.ts';
import { formTokenField } from './layout.ts';
import type { Session } from './session.ts';
import { timeWords } from './words.ts';

const REVOKERS = ['approver', 'on-call', 'release-manager'];

const mayRevoke = ({ roles }: Actor): boolean => roles.some((role) => REVOKERS.includes(role));

/** The standing approval that came of an action, or that it ran by, and how to take it back. */
export async function standingApprovalOf(
  services: Services,
  { actor, formToken }: Session,
  action: ActionRow,
): Promise<Html | undefined> {
  const row = await services.db.sql
    .selectFrom('standing_approval')
    .selectAll()
    .where((where) =>
      where.or([where('action_id', '=', action.id), where('id', '=', action.standing_id ?? action.id)]),
    )
    .executeTakeFirst();
  if (!row) return undefined;
  const now = services.clock.now();
  return html`<h2>Standing approval</h2>
${row.action_id !== action.id && html`<p>This ran by it; it was <a href="/actions/${row.action_id}">approved with another action</a>.</p>`}
<p>${standingWords(row, now)}</p><pre>${row.envelope}</pre>
${isLive(row, now) && mayRevoke(actor) && revokeForm(action, row.id, formTokenField(formToken))}`;
}

const isLive = ({ ended_at, expires_at }: StandingApprovalRow, now: Date): boolean =>
  !ended_at && expires_at > now;

/** How far it is used, until when it counts or why it does not any more. */
export function standingWords(row: StandingApprovalRow, now: Date): string {
  const used = `used ${row.used} of ${row.max_uses}`;
  if (isLive(row, now))
    return `Counts until ${timeWords(row.expires_at.toISOString(), now)}, ${used}, approved by ${row.created_by}`;
  const because = STANDING_ENDED_WORDS[row.ended_because ?? 'expired'];
  const by = row.ended_because === 'revoked' && row.ended_by ? ` by ${row.ended_by}` : '';
  return `Ended ${timeWords((row.ended_at ?? row.expires_at).toISOString(), now)}, because ${because}${by}, ${used}`;
}
