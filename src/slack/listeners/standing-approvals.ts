import type { App, ViewSubmitAction } from '@slack/bolt';
import type { StandingApprovalInput } from '../../approvals/standing/wish.ts';
import { dateText } from '../../cards/blocks/mrkdwn.ts';
import { suggestEnvelope } from '../../domain/decision/envelope.ts';
import { AppError } from '../../errors.ts';
import type { ActionRow } from '../../records/action.ts';
import { shownArgs, toolAsAsked } from '../../records/args.ts';
import { manifestOf } from '../../records/manifest.ts';
import { standingFrom, standingView } from '../modals/standing-approvals.ts';
import { INPUT, MODAL, noticeView } from '../modals.ts';
import { plainWordsFor } from '../words.ts';
import { answerFromForm, answerSeen, openedFor } from './answering.ts';
import { type Click, type ListenerDeps, personOf, type View } from './deps.ts';
import { FormProblem, inputOf, reasonAtInput, type Submission, textOf } from './forms.ts';

const TITLE = 'Approve it and the like';

/** Approving one and the like of it for a while. */
export function register(app: App, deps: ListenerDeps): void {
  app.view<ViewSubmitAction>(MODAL.standing, ({ ack, body }) => submit(deps, { ack, body }));
}

/** The form with an envelope suggested from the redacted arguments. */
export async function fillStanding(deps: ListenerDeps, body: Click, id: string): Promise<View> {
  const { db } = deps.services;
  const { action, meta } = await openedFor(deps, body, { id, verb: 'approve' });
  if (action.approval?.standing !== 'allowed') throw forbidden(action);
  const args = await shownArgs(db.sql, action);
  const tool = toolAsAsked(await manifestOf(db.sql, action.agent), action);
  if (!args || !tool)
    throw new AppError('wrong_state', 'Cannot approve the like of it: its arguments are gone');
  return standingView(action, suggestEnvelope(args, tool), meta);
}

const forbidden = ({ tool }: ActionRow): AppError =>
  new AppError(
    'not_eligible',
    `Cannot approve the like of it: the release forbids standing approvals for "${tool}"`,
    { because: 'standing_forbidden' },
  );

async function submit(deps: ListenerDeps, submission: Submission): Promise<void> {
  const receivedAt = deps.services.clock.now();
  const { body } = submission;
  const chosen = (id: string) => inputOf(body, id)?.selected_option?.value;
  await answerFromForm(deps, submission, TITLE, async (meta) => {
    const envelope = textOf(body, INPUT.envelope);
    const standing = standingFrom(chosen(INPUT.time), chosen(INPUT.uses), envelope);
    if (!standing) throw new FormProblem({ [INPUT.envelope]: 'Write what counts as the like of it' });
    const reason = textOf(body, INPUT.reason);
    const answer = { verdict: 'approve', standing, receivedAt, ...(reason ? { reason } : {}) } as const;
    const { action, counted } = await answerSeen(deps, personOf(body), meta, answer).catch(atInput);
    return noticeView(TITLE, doneText(action, counted, standing));
  });
}

/** What is wrong with the envelope or the reason is said where it stands; the rest is said instead of the form. */
function atInput(error: unknown): never {
  if (error instanceof AppError && error.code === 'invalid_input')
    throw new FormProblem({ [INPUT.envelope]: plainWordsFor(error) });
  return reasonAtInput(error);
}

function doneText(action: ActionRow, counted: boolean, { maxUses, forMs }: StandingApprovalInput): string {
  if (!counted && action.standing_wish) return 'Your approval is counted already; once is enough.';
  if (!counted)
    return '*Nothing new.* You approved this one before, without the like; a person decides once.';
  if (action.state === 'pending')
    return '*Your approval counts.* The like of it begins to run without asking when the others have agreed, too.';
  const until = dateText(new Date((action.decided_at ?? action.asked_at).getTime() + forMs));
  return `*Approved, and the like of it:* at most ${maxUses} times, until ${until}. It can be taken back at any time.`;
}
