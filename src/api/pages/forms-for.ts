import { likeActions } from '../../actions/batch.ts';
import type { ActionRow } from '../../actions/store.ts';
import { manifestOf, readStanding } from '../../approvals/standing.ts';
import type { Services } from '../../context.ts';
import { mayDeny, rightToApprove, rightToBreakGlass } from '../../domain/approval.ts';
import { suggestEnvelope } from '../../domain/envelope.ts';
import { correctionForm, decideForms, reviewForm } from './decide-forms.ts';
import { type Html, html } from './html.ts';
import { formTokenField } from './layout.ts';
import type { Session } from './session.ts';

const REPORTERS = ['approver', 'on-call', 'release-manager'];
const REVIEWERS = ['release-manager', 'auditor'];

/** The forms this person may use now; else why there are none. */
export async function formsFor(
  services: Services,
  session: Session,
  action: ActionRow,
  args: Record<string, unknown> | undefined,
): Promise<Html> {
  const field = formTokenField(session.formToken);
  const { actor } = session;
  if (action.state === 'pending') return pendingForms(services, session, action, args);
  const has = (roles: readonly string[]) => actor.roles.some((role) => roles.includes(role));
  const wrong = action.kind === 'write' && (action.state === 'executed' || action.state === 'unknown');
  const reviews = action.break_glass && !action.reviewed_at && has(REVIEWERS);
  return html`${reviews && reviewForm({ action, field })}${
    wrong && has(REPORTERS) && !action.corrected_at && correctionForm({ action, field })
  }`;
}

async function pendingForms(
  services: Services,
  { actor, formToken }: Session,
  action: ActionRow,
  args: Record<string, unknown> | undefined,
): Promise<Html> {
  const cannot = (why: string) => html`<p class="notice" role="note">You cannot decide this: ${why}.</p>`;
  if (!actor.roles.includes('approver')) return cannot('your token has not the role approver');
  if (!actor.person) return cannot('your token stands for no person');
  const now = services.clock.now();
  if (action.expires_at && now > action.expires_at) return cannot('its time is over');
  const standing = await readStanding(services.db.sql, action, now);
  const refusal = mayDeny(actor.person, standing, action);
  if (refusal && refusal.because !== 'edited_it') return cannot(refusal.message);
  const approving = rightToApprove(actor.person, standing, action);
  return decideForms({
    action,
    args,
    field: formTokenField(formToken),
    mayApprove: 'right' in approving,
    ...('refusal' in approving ? { notApproving: approving.refusal.message } : {}),
    mayBreakGlass: 'right' in rightToBreakGlass(actor.person, standing, action),
    ...(action.approval?.standing === 'allowed' && args
      ? { envelope: await envelopeOf(services, action, args) }
      : {}),
    alike: (await likeActions(services, action.id)).length,
  });
}

/** Proposed from the redacted arguments: what is not shown does not enter it. */
async function envelopeOf(services: Services, action: ActionRow, args: Record<string, unknown>) {
  const agent = await manifestOf(services.db.sql, action.agent);
  const tool = Object.hasOwn(agent.tools, action.tool) ? agent.tools[action.tool] : undefined;
  return tool ? suggestEnvelope(args, tool) : { text: '', open: [] };
}
