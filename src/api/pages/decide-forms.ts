import type { ActionRow } from '../../actions/store.ts';
import { slackMayApprove } from '../../domain/approval.ts';
import { type Html, html, UNSEEN } from './html.ts';

/** What the forms of an action need: the row, its redacted arguments and what this person may do. */
export interface FormFacts {
  action: ActionRow;
  args: Record<string, unknown> | undefined;
  /** The form token of the session. */
  field: Html;
  mayApprove: boolean;
  /** Why approving is not for this person now; denying is. */
  notApproving?: string;
  mayBreakGlass: boolean;
  /** A proposed envelope and what it leaves open; absent where standing approvals are forbidden. */
  envelope?: { text: string; open: readonly string[] };
  alike: number;
}

/** Every way to answer, the usual ones first; what is rare is folded away. */
export function decideForms(facts: FormFacts): Html {
  const { action, mayApprove, notApproving, mayBreakGlass, alike } = facts;
  return html`<h2>Decide</h2>
${notApproving && html`<p class="notice" role="note">You may deny this. You cannot approve it: ${notApproving}.</p>`}
${mayApprove && approveForm(facts)}
${denyForm(facts)}
${alike > 1 && html`<p><a href="/queue">${alike} like this wait</a>: answer them together.</p>`}
${editForm(facts)}
${mayApprove && standingForm(facts)}
${mayBreakGlass && glassForm(facts)}
${!slackMayApprove(action) && html`<p class="meta">Its release wants it approved here or by CLI: a Slack account alone is not enough.</p>`}`;
}

const seen = ({ action, field }: FormFacts): Html =>
  html`${field}<input type="hidden" name="digest" value="${action.args_digest}">
<input type="hidden" name="revision" value="${action.revision}">`;

function approveForm(facts: FormFacts): Html {
  const { action } = facts;
  const required = action.approval?.reason === 'required';
  return html`<form class="panel" method="post" action="/actions/${action.id}/decisions">
${seen(facts)}<input type="hidden" name="verdict" value="approve">
<label for="approve-reason">Why it may be done${required ? '' : ' (not needed)'}</label>
<textarea id="approve-reason" name="reason" rows="1" maxlength="2000"${required ? html` required` : ''}></textarea>
<button class="approve" type="submit">Approve</button>
</form>`;
}

const denyForm = (
  facts: FormFacts,
): Html => html`<form class="panel" method="post" action="/actions/${facts.action.id}/decisions">
${seen(facts)}<input type="hidden" name="verdict" value="deny">
<label for="deny-reason">Why not? The agent reads this</label>
<textarea id="deny-reason" name="reason" rows="2" maxlength="2000" required></textarea>
<button class="deny" type="submit">Deny</button>
</form>`;

function editForm(facts: FormFacts): Html | undefined {
  const { action, args } = facts;
  if (args === undefined) return undefined;
  const text = editableJson(args);
  return html`<details><summary>Change the arguments</summary>
<form class="panel" method="post" action="/actions/${action.id}/edits">
${seen(facts)}<p>Approvals so far do not count any more, and you will not count as an approver of it. Values shown as
[redacted] stay what they are.</p>
<label for="edit-args">Arguments, as JSON</label>
<textarea id="edit-args" name="args" rows="${Math.min(20, text.split('\n').length + 1)}" spellcheck="false" required>${text}</textarea>
<label for="edit-reason">Why (for the log and the next approver)</label>
<textarea id="edit-reason" name="reason" rows="1" maxlength="2000"></textarea>
<button type="submit">Change them</button>
</form></details>`;
}

function standingForm(facts: FormFacts): Html | undefined {
  const { action, envelope } = facts;
  if (!envelope) return undefined;
  const open = envelope.open.length > 0 && `Left open, because it is redacted: ${envelope.open.join(', ')}.`;
  return html`<details><summary>Approve it and the like for a while</summary>
<form class="panel" method="post" action="/actions/${action.id}/decisions">
${seen(facts)}<input type="hidden" name="verdict" value="approve">
<label for="envelope">The like of it: a condition (CEL) over its arguments</label>
<textarea id="envelope" name="envelope" rows="3" maxlength="2000" spellcheck="false" required>${envelope.text}</textarea>
${open && html`<p class="meta">${open}</p>`}
<label for="uses">At most so many times</label>
<input id="uses" name="maxUses" type="number" min="1" max="100" value="5" required>
<label for="for">For</label>
<select id="for" name="for"><option value="1h">1 hour</option><option value="4h">4 hours</option><option value="24h">24 hours</option></select>
<label for="standing-reason">Why</label>
<textarea id="standing-reason" name="reason" rows="1" maxlength="2000"${action.approval?.reason === 'required' ? html` required` : ''}></textarea>
<p class="meta">It ends sooner when the phase, the release or a switch changes, with an incident or a rollback, or when somebody takes it back.</p>
<button class="approve" type="submit">Approve it and the like</button>
</form></details>`;
}

const glassForm = (facts: FormFacts): Html => html`<details><summary>Break the glass (emergency)</summary>
<form class="panel" method="post" action="/actions/${facts.action.id}/decisions">
${seen(facts)}<input type="hidden" name="verdict" value="approve"><input type="hidden" name="breakGlass" value="true">
<p><strong>You approve it alone.</strong> Everybody on call is told now, and it is reviewed afterwards.</p>
<label for="glass-reason">Why it cannot wait</label>
<textarea id="glass-reason" name="reason" rows="2" maxlength="2000" required></textarea>
<button class="deny" type="submit">Approve alone</button>
</form></details>`;

/** What people say afterwards of an approval that one of them gave alone. */
export const reviewForm = ({
  action,
  field,
}: Pick<FormFacts, 'action' | 'field'>): Html => html`<h2>Review</h2>
<form class="panel" method="post" action="/actions/${action.id}/review">
${field}<label for="note">One person approved this alone. Was it right to?</label>
<textarea id="note" name="note" rows="2" maxlength="2000" required></textarea>
<button class="approve" type="submit" name="justified" value="true">It was justified</button>
<button class="deny" type="submit" name="justified" value="false">It was not</button>
</form>`;

/** What cannot be seen stands as its JSON escape: what is sent back is what was there. */
const editableJson = (args: Record<string, unknown>): string =>
  JSON.stringify(args, null, 2).replace(UNSEEN, (char) => (char === '\n' ? char : jsonEscape(char)));

const jsonEscape = (char: string): string =>
  Array.from(
    { length: char.length },
    (_, at) => `\\u${char.charCodeAt(at).toString(16).padStart(4, '0')}`,
  ).join('');

export const correctionForm = ({
  action,
  field,
}: Pick<FormFacts, 'action' | 'field'>): Html => html`<h2>Report a wrong write</h2>
<form class="panel" method="post" action="/actions/${action.id}/corrections">
${field}<label for="correction">What was wrong?</label>
<textarea id="correction" name="reason" rows="2" maxlength="2000" required></textarea>
<button class="deny" type="submit">Report it as wrong</button>
</form>`;
