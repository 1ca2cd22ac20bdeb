import type { ActionView } from '../../actions/action-view.ts';
import { wasNotApproved } from '../../actions/correct.ts';
import type { ActionRow } from '../../records/action.ts';
import type { Services } from '../../services.ts';
import { correctionForm, reviewForm, wronglyStoppedForm } from './after-forms.ts';
import { answerForms } from './answer-forms.ts';
import { type Draft, formFacts, mayReview } from './form-facts.ts';
import { type Html, html } from './html.ts';
import { formTokenField } from './layout.ts';
import type { Session } from './session.ts';

const REPORTERS = ['approver', 'on-call', 'release-manager'];

/** The forms this person may use now; else why there are none. */
export async function formsFor(
  services: Services,
  { actor, formToken }: Session,
  action: ActionRow,
  view: ActionView,
  draft: Draft | undefined,
): Promise<Html> {
  const field = formTokenField(formToken);
  if (action.state === 'pending') {
    const facts = await formFacts(services, actor, action, view, { field, ...(draft && { draft }) });
    if ('cannot' in facts)
      return html`<p class="notice" id="decide" role="note">You cannot decide this: ${facts.cannot}.</p>`;
    return answerForms(facts);
  }
  const reports = actor.roles.some((role) => REPORTERS.includes(role)) && !action.corrected_at;
  const isWrite = action.kind === 'write';
  const done = action.state === 'executed' || action.state === 'unknown';
  return html`${(await mayReview(services, actor, action)) && reviewForm(action, lastApproval(view), field)}
${reports && isWrite && done && correctionForm(action, field)}
${reports && isWrite && wasNotApproved(action) && wronglyStoppedForm(action, field)}`;
}

/** The one that broke the glass ended the wait. */
const lastApproval = ({ decisions, approval }: ActionView) =>
  decisions.findLast(({ verdict, round }) => verdict === 'approve' && round === approval?.round);
