import { type ActionRow, privateOf } from '../../actions/store.ts';
import type { ActionView } from '../../actions/view.ts';
import { lastLike } from '../../approvals/like.ts';
import { manifestOf } from '../../approvals/standing.ts';
import type { StandingApprovalRow } from '../../approvals/standing-approvals.ts';
import type { Services } from '../../context.ts';
import { type ArgsChange, describeChange, diffRedacted } from '../../domain/args-diff.ts';
import { parseRedactPath } from '../../domain/redact.ts';
import { type Html, html } from './html.ts';
import { formTokenField } from './layout.ts';
import type { Session } from './session.ts';
import { timeWords } from './words.ts';

const CHANGE_MAX = 500;

/** What people said and what came of it, in order. */
export function historyOf(
  { decisions, edits, execution, correction, expiresAt, state, breakGlass, approval }: ActionView,
  now: Date,
): Html {
  const round = approval?.round ?? 0;
  const lines = [
    ...decisions.map(
      (one) =>
        `${one.person}${one.for ? ` for ${one.for}` : ''} said ${one.verdict} by ${one.via}, ${timeWords(one.at, now)}${
          one.reason ? `: ${one.reason}` : ''
        }${one.round < round ? ' (of earlier arguments: does not count)' : ''}`,
    ),
    ...edits.map(
      ({ person, via, at, reason }) =>
        `${person} changed the arguments by ${via}, ${timeWords(at, now)}${reason ? `: ${reason}` : ''}`,
    ),
    breakGlass && 'Approved by one person alone: the glass was broken',
    breakGlass?.reviewed &&
      `${breakGlass.reviewed.person} found that ${breakGlass.reviewed.justified ? 'justified' : 'NOT justified'}, ${timeWords(breakGlass.reviewed.at, now)}: ${breakGlass.reviewed.note}`,
    state === 'approved' && expiresAt ? `Must be begun by ${timeWords(expiresAt, now)}` : undefined,
    execution && `Begun ${timeWords(execution.beganAt, now)} as ${execution.executionId}`,
    execution?.completedAt &&
      `Completed ${timeWords(execution.completedAt, now)}${execution.error ? ` with ${execution.error}` : ''}`,
    correction &&
      `Reported as wrong by ${correction.person}, ${timeWords(correction.at, now)}: ${correction.reason ?? ''}`,
  ].filter((line) => line !== undefined);
  if (lines.length === 0) return html`<h2>What happened</h2><p>Nobody has decided yet.</p>`;
  return html`<h2>What happened</h2><ul>${lines.map((line) => html`<li>${line}</li>`)}</ul>`;
}

/** What differs: from the arguments before the last change, and from the last action like it. */
export async function recordOf(services: Services, action: ActionRow): Promise<Html | undefined> {
  const { sql } = services.db;
  const args = await argsOf(services, action.id);
  if (!args) return undefined;
  const agent = await manifestOf(sql, action.agent);
  const tool = Object.hasOwn(agent.tools, action.tool) ? agent.tools[action.tool] : undefined;
  // Without its manifest nothing of a tool may be shown.
  if (!tool) return undefined;
  const redactions = tool.redact.map(parseRedactPath);
  const before = action.round > 0 ? await argsBefore(services, action) : undefined;
  const last = await lastLike(sql, action);
  const lastArgs = last && (await argsOf(services, last.id));
  return html`${before && html`<h2>What the change did</h2>${changes(diffRedacted(before, args, redactions))}`}
<h2>Against the last one like it</h2>
${
  last && lastArgs
    ? html`<p><a href="/actions/${last.id}">${last.summary}</a>, ${last.state}</p>${changes(diffRedacted(lastArgs, args, redactions))}`
    : html`<p class="meta">The first of its kind.</p>`
}`;
}

/** Not to be shown as they are. */
async function argsOf({ db }: Services, id: string): Promise<Record<string, unknown> | undefined> {
  const kept = await privateOf(db.sql, id);
  return kept && JSON.parse(kept.args);
}

const changes = (list: readonly ArgsChange[]): Html =>
  list.length === 0
    ? html`<p class="meta">The same arguments.</p>`
    : html`<ul>${list.map((change) => html`<li><code>${describeChange(change, CHANGE_MAX)}</code></li>`)}</ul>`;

async function argsBefore({ db }: Services, action: ActionRow): Promise<Record<string, unknown> | undefined> {
  const edit = await db.sql
    .selectFrom('action_edit')
    .select('args_before')
    .where('action_id', '=', action.id)
    .where('round', '=', action.round)
    .executeTakeFirst();
  return edit?.args_before ? JSON.parse(edit.args_before) : undefined;
}

/** The standing approval that came of it, and how to take it back. */
export async function standingOf(
  services: Services,
  { formToken }: Session,
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
<p>${standingWords(row, now)}</p><pre>${row.envelope}</pre>
${
  row.ended_at
    ? undefined
    : html`<form class="panel" method="post" action="/standing-approvals/${row.id}/revoke">${formTokenField(formToken)}
<label for="revoke">Why it ends now</label><input id="revoke" name="reason" maxlength="2000" required>
<button class="deny" type="submit">Take it back</button></form>`
}`;
}

const standingWords = (row: StandingApprovalRow, now: Date): string =>
  row.ended_at
    ? `Ended ${timeWords(row.ended_at.toISOString(), now)} (${row.ended_because}), used ${row.used} of ${row.max_uses}`
    : `Live until ${timeWords(row.expires_at.toISOString(), now)}, used ${row.used} of ${row.max_uses}, by ${row.created_by}`;
