import { slackMayApprove } from '../../domain/approval/approval.ts';
import type { Draft, FormFacts } from './form-facts.ts';
import { type Html, html, visible } from './html.ts';
import { wishBounds } from './words.ts';

const ROWS_MAX = 20;
/** Of a phone. */
const ROW_LENGTH = 40;

/** As many rows as the text takes, within reason. */
const rowsFor = (text: string): number =>
  Math.min(
    ROWS_MAX,
    text.split('\n').reduce((sum, line) => sum + Math.ceil((line.length + 1) / ROW_LENGTH), 1),
  );

/** Every way to answer, the usual ones first; what is rare is folded away. */
export function answerForms(facts: FormFacts): Html {
  const { action, note, mayApprove, mayDeny, mayBreakGlass, alike } = facts;
  return html`<h2 id="decide">Decide</h2>
${note && html`<p class="notice" role="note">${note}</p>`}
${mayApprove && wishNotice(facts)}
${mayApprove && approveForm(facts)}
${mayDeny && denyForm(facts)}
${mayApprove && alike > 0 && html`<p><a href="/queue">${alike === 1 ? '1 other like this waits' : `${alike} others like this wait`}</a>: answer them together.</p>`}
${editForm(facts)}
${mayApprove && standingForm(facts)}
${mayBreakGlass && glassForm(facts)}
${!slackMayApprove(action) && html`<p class="meta">Its release wants it approved here or by CLI: a Slack account alone is not enough.</p>`}`;
}

const seen = ({ action, field }: FormFacts): Html =>
  html`${field}<input type="hidden" name="digest" value="${action.args_digest}">
<input type="hidden" name="revision" value="${action.revision}">`;

/** Whoever approves after somebody who wished it agrees to the like of it, too. */
function wishNotice({ action: { standing_wish: wish } }: FormFacts): Html | undefined {
  if (!wish) return undefined;
  return html`<div class="notice" role="note"><p>Approving also approves the like of it, ${wishBounds(wish)}:</p>
<pre>${wish.envelope}</pre></div>`;
}

const required = ({ action }: FormFacts): Html | undefined =>
  action.approval?.reason === 'required' ? html` required` : undefined;

/** Where what was typed has to be mended. */
const OPEN = html` id="mend" open`;

const draftOf = ({ draft }: FormFacts, form: Draft['form']): Draft | undefined =>
  draft?.form === form ? draft : undefined;

const approveForm = (
  facts: FormFacts,
): Html => html`<form class="panel" method="post" action="/actions/${facts.action.id}/decisions">
${seen(facts)}<input type="hidden" name="verdict" value="approve">
<label for="approve-reason">Why it may be done${required(facts) ? '' : ' (not needed)'}</label>
<textarea id="approve-reason" name="reason" rows="1" maxlength="2000"${required(facts)}></textarea>
<button class="approve" type="submit">Approve</button>
</form>`;

const denyForm = (
  facts: FormFacts,
): Html => html`<form class="panel" method="post" action="/actions/${facts.action.id}/decisions">
${seen(facts)}<input type="hidden" name="verdict" value="deny">
<label for="deny-reason">Why not? The agent reads this</label>
<textarea id="deny-reason" name="reason" rows="1" maxlength="2000" required></textarea>
<button class="deny" type="submit">Deny</button>
</form>`;

function editForm(facts: FormFacts): Html | undefined {
  const { action, args } = facts;
  if (args === undefined) return undefined;
  const draft = draftOf(facts, 'edit');
  const text = draft?.text ?? editableJson(args);
  return html`<details${draft && OPEN}><summary>Change the arguments</summary>
<form class="panel" method="post" action="/actions/${action.id}/edits">
${seen(facts)}<p>Approvals so far do not count any more, and you will not count as an approver of it. Values shown as
[redacted] stay what they are.</p>
<label for="edit-args">Arguments, as JSON</label>
<textarea class="code" id="edit-args" name="args" rows="${rowsFor(text)}" spellcheck="false" required>${text}</textarea>
<label for="edit-reason">Why (for the log and whoever approves it)</label>
<textarea id="edit-reason" name="reason" rows="1" maxlength="2000">${draft?.reason}</textarea>
<button type="submit">Change them</button>
</form></details>`;
}

function standingForm(facts: FormFacts): Html | undefined {
  const { action, envelope } = facts;
  if (!envelope) return undefined;
  const { open } = envelope;
  const draft = draftOf(facts, 'standing');
  const envelopeText = draft?.text ?? envelope.text;
  return html`<details${draft && OPEN}><summary>Approve it and the like for a while</summary>
<form class="panel" method="post" action="/actions/${action.id}/decisions">
${seen(facts)}<input type="hidden" name="verdict" value="approve">
<label for="envelope">The like of it: a condition (CEL) over its arguments</label>
<textarea class="code" id="envelope" name="envelope" rows="${rowsFor(envelopeText)}" maxlength="2000" spellcheck="false" required>${envelopeText}</textarea>
${open.length > 0 && html`<p class="meta">It says nothing of what is not shown, so any value passes there: ${open.join(', ')}.</p>`}
<div class="side"><div><label for="uses">At most so many times</label>
<input id="uses" name="maxUses" type="number" min="1" max="100" value="5" required></div>
<div><label for="for">For</label>
<select id="for" name="for"><option value="1h">1 hour</option><option value="4h">4 hours</option><option value="24h">24 hours</option></select></div></div>
<label for="standing-reason">Why it may be done${required(facts) ? '' : ' (not needed)'}</label>
<textarea id="standing-reason" name="reason" rows="1" maxlength="2000"${required(facts)}>${draft?.reason}</textarea>
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

/** What cannot be seen stands as its JSON escape: what is sent back is what was there. */
export const editableJson = (args: Readonly<Record<string, unknown>>): string =>
  visible(JSON.stringify(args, null, 2), jsonEscape);

/** As UTF-16 units, which is how JSON escapes. */
const jsonEscape = (codePoint: number): string =>
  String.fromCodePoint(codePoint)
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
