import type { DecisionView } from '../../actions/action-view.ts';
import type { ActionRow } from '../../records/action.ts';
import { type Html, html } from './html.ts';

type Of = Pick<ActionRow, 'id'>;

/** What people say afterwards of an approval that one of them gave alone. */
export const reviewForm = (
  { id }: Of,
  broken: Pick<DecisionView, 'person' | 'reason'> | undefined,
  field: Html,
): Html => html`<h2>Review</h2>
<form class="panel" method="post" action="/actions/${id}/review">
${field}<p>${broken?.person ?? 'One person'} approved this alone: ${broken?.reason}</p>
<label for="note">What do you say of that?</label>
<textarea id="note" name="note" rows="2" maxlength="2000" required></textarea>
<div class="buttons"><button class="approve" type="submit" name="justified" value="true">It was justified</button>
<button class="deny" type="submit" name="justified" value="false">It was not</button></div>
</form>`;

/** A write that was done and should not have been. */
export const correctionForm = ({ id }: Of, field: Html): Html => html`<h2>Report a wrong write</h2>
<form class="panel" method="post" action="/actions/${id}/corrections">
${field}<label for="correction">What was wrong?</label>
<textarea id="correction" name="reason" rows="2" maxlength="2000" required></textarea>
<button class="deny" type="submit">Report it as wrong</button>
</form>`;

/** A write that was not done and should have been. */
export const wronglyStoppedForm = (
  { id }: Of,
  field: Html,
): Html => html`<details><summary>It was right, and wrongly stopped</summary>
<form class="panel" method="post" action="/actions/${id}/corrections">
${field}<p>This changes nothing about it: it counts against stopping too much.</p>
<label for="correction">Why was it right?</label>
<textarea id="correction" name="reason" rows="2" maxlength="2000" required></textarea>
<button type="submit">Report it as right</button>
</form></details>`;

/** Ends a standing approval before its time. */
export const revokeForm = (
  { id }: Of,
  standing: string,
  field: Html,
): Html => html`<form class="panel" method="post"
action="/actions/${id}/standing-approvals/${standing}/revoke">${field}
<label for="revoke">Why it ends now</label><input id="revoke" name="reason" maxlength="2000" required>
<button class="deny" type="submit">Take it back</button></form>`;
