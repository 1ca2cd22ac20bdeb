import type { ActionView } from '../../actions/action-view.ts';
import type { Actor } from '../../actor.ts';
import { waitingLike } from '../../approvals/alike.ts';
import { readEligibility } from '../../approvals/eligibility.ts';
import { reviewerOf } from '../../approvals/review.ts';
import { mayDeny, rightToApprove, rightToBreakGlass } from '../../domain/approval/approval.ts';
import { suggestEnvelope } from '../../domain/decision/envelope.ts';
import { AppError } from '../../errors.ts';
import type { ActionRow } from '../../records/action.ts';
import { toolAsAsked } from '../../records/args.ts';
import { manifestOf } from '../../records/manifest.ts';
import type { Services } from '../../services.ts';
import type { Html } from './html.ts';

/** What the forms of an action need: the row, its redacted arguments and what this person may do. */
export interface FormFacts {
  action: ActionRow;
  args: Record<string, unknown> | undefined;
  /** The form token of the session. */
  field: Html;
  mayApprove: boolean;
  mayDeny: boolean;
  /** What of it is not for this person now, and why. */
  note?: string;
  mayBreakGlass: boolean;
  /** A proposed envelope and what it leaves open; absent where nobody may approve the like of it now. */
  envelope?: { text: string; open: readonly string[] };
  /** How many others wait and are like it. */
  alike: number;
  /** What was typed and must be mended. */
  draft?: Draft;
}

/** What somebody typed into a form that was refused. */
export interface Draft {
  form: 'edit' | 'standing';
  /** The arguments, or the envelope. */
  text: string;
  reason: string;
}

/** What this person may do with an action that waits, or why they may do nothing. */
export async function formFacts(
  services: Services,
  actor: Actor,
  action: ActionRow,
  { args, decisions }: Pick<ActionView, 'args' | 'decisions'>,
  { field, draft }: Pick<FormFacts, 'field' | 'draft'>,
): Promise<FormFacts | { cannot: string }> {
  const { person } = actor;
  if (!actor.roles.includes('approver')) return { cannot: 'your token has not the role approver' };
  if (!person) return { cannot: 'your token stands for no person' };
  const now = services.clock.now();
  if (action.expires_at && now > action.expires_at) return { cannot: 'its time is over' };
  const eligibility = await readEligibility(services.db.sql, action, now);
  const refusal = mayDeny(person, eligibility, action);
  if (refusal && refusal.because !== 'edited_it') return { cannot: refusal.message };
  const answers = decisions.filter(({ round }) => round === action.round);
  const others = answers.filter((one) => one.person !== person && one.verdict === 'approve');
  const taken = others.map((one) => one.for ?? one.person);
  const approving = rightToApprove(person, eligibility, action, taken);
  const given =
    'right' in approving
      ? (answers.find((one) => one.person === person) ??
        others.find((one) => (one.for ?? one.person) === approving.right.for))
      : undefined;
  // Breaking the glass is another answer than approving with the others: who gave that may still give this.
  const glass = rightToBreakGlass(person, eligibility, action);
  const mayApprove = 'right' in approving && !given;
  const mayStand = mayApprove && answers.length === 0 && action.approval?.standing === 'allowed';
  const note = refusal
    ? 'You changed the arguments, so somebody else must answer. You may change them again.'
    : 'refusal' in approving
      ? `You may deny this. You cannot approve it: ${approving.refusal.message}.`
      : given && givenWords(person, given);
  return {
    action,
    args,
    field,
    ...(draft && { draft }),
    mayApprove,
    mayDeny: !refusal,
    ...(note && { note }),
    mayBreakGlass: 'right' in glass && !taken.includes(glass.right.for),
    ...(mayStand && args && { envelope: await envelopeOf(services, action, args) }),
    alike: await waitingLike(services.db.sql, action),
  };
}

const givenWords = (person: string, given: ActionView['decisions'][number]): string =>
  given.person === person
    ? 'You approved this. It waits for others; you may still deny it.'
    : `${given.person} approved this for ${given.for ?? person}, and both count once. You may still deny it.`;

/** Proposed from the redacted arguments: what is not shown does not enter it. */
async function envelopeOf(services: Services, action: ActionRow, args: Record<string, unknown>) {
  const agent = await manifestOf(services.db.sql, action.agent);
  const tool = toolAsAsked(agent, action);
  return tool ? suggestEnvelope(args, tool) : { text: '', open: [] };
}

/** Whether the verb would take this person's word on an approval that was given alone. */
export async function mayReview(services: Services, actor: Actor, action: ActionRow): Promise<boolean> {
  if (!action.break_glass || action.reviewed_at) return false;
  try {
    await reviewerOf(services, actor, action);
    return true;
  } catch (error) {
    if (error instanceof AppError) return false;
    throw error;
  }
}
