import type { Actor } from '../../actor.ts';
import { answerAction, assertOpen, refused } from '../../approvals/answer.ts';
import type { Answered, AnswerInput } from '../../approvals/answer-input.ts';
import { type ActionValue, type SeenMeta, VALUE } from '../../cards/blocks/buttons.ts';
import { slackMayApprove } from '../../domain/approval/approval.ts';
import { AppError } from '../../errors.ts';
import { actionUrl } from '../../links.ts';
import { type ActionRow, actionById } from '../../records/action.ts';
import type { Services } from '../../services.ts';
import { accountOf, actorFor, type Elsewhere, type SlackPerson } from '../identity.ts';
import {
  type Click,
  copyIn,
  copyOf,
  type ListenerDeps,
  personOf,
  refreshClicked,
  type View,
} from './deps.ts';
import { answerForm, type Submission } from './forms.ts';

/** An action that a form is opened for, who opened it, and what they saw of it. */
export interface Opened {
  action: ActionRow;
  actor: Actor;
  meta: SeenMeta;
}

type Answer = Omit<AnswerInput, keyof ActionValue | 'cardVersion'>;

/** Counts an answer with what the person saw of the action and when it came. */
export async function answerSeen(
  { services, directory }: ListenerDeps,
  who: SlackPerson,
  { id, revision, digest, version }: ActionValue,
  answer: Answer,
): Promise<Answered> {
  const stop = answer.verdict === 'deny' ? denyElsewhere(services, id) : undefined;
  const account = await accountOf(services, directory, who, stop);
  const seen = { id, revision, digest, ...(version === undefined ? {} : { cardVersion: version }) };
  return namingPage(services, id, answerAction(services, account, { ...seen, ...answer }));
}

/**
 * The action a form is opened for, when it still waits as the clicked message shows it and a Slack account may approve
 * it: nobody fills in a form that cannot count.
 * @throws AppError as deciding would
 */
export const openedFor = (
  deps: ListenerDeps,
  body: Click,
  asked: { id: string; verb: 'approve' | 'edit' },
): Promise<Opened> => namingPage(deps.services, asked.id, openNow(deps, body, asked));

async function openNow(
  { services, directory }: ListenerDeps,
  body: Click,
  { id, verb }: { id: string; verb: 'approve' | 'edit' },
): Promise<Opened> {
  const action = await actionById(services.db.sql, id);
  const actor = await actorFor(services, directory, personOf(body), action.agent);
  const shown = shownIn(body, id);
  if (!shown)
    throw new AppError(
      'seen_outdated',
      `Cannot ${verb}: the message does not say what it showed of the action`,
    );
  assertOpen(action, { ...shown, verdict: verb }, services.clock.now());
  if (!slackMayApprove(action)) {
    const message = 'its release wants it handled on the page or by CLI: a Slack account alone is not enough';
    throw refused(verb, { because: 'not_from_slack', message });
  }
  return { action, actor, meta: { ...shown, ...(copyOf(body) ?? { channel: '', ts: '' }) } };
}

/**
 * Answers a form that is about one action, and brings the message it was opened from up to what is true then. What
 * `work` returns is shown in the form; `undefined` closes it.
 */
export async function answerFromForm(
  deps: ListenerDeps,
  submission: Submission,
  title: string,
  work: (meta: SeenMeta) => Promise<View | undefined>,
  input?: string,
): Promise<void> {
  const working = async () => {
    const meta = VALUE.seen.parse(submission.body.view.private_metadata);
    return { meta, view: await work(meta) };
  };
  const done = await answerForm(deps, submission, title, working, ({ view }) => view, input);
  if (done) await refreshClicked(deps, done.meta.id, copyIn(done.meta));
}

/** Where an action can be denied without Slack. */
export const denyElsewhere = ({ publicUrl }: Pick<Services, 'publicUrl'>, id: string): Elsewhere => ({
  page: actionUrl(publicUrl, id),
  cli: `portcullis approvals deny ${id} --reason "..."`,
});

/** What the clicked message or Home tab shows of an action: its own buttons carry it. */
function shownIn(body: Click, id: string): ActionValue | undefined {
  const blocks: unknown = body.message?.blocks ?? body.view?.blocks;
  for (const value of valuesIn(blocks)) {
    try {
      const shown = VALUE.action.parse(value);
      if (shown.id === id) return shown;
    } catch {
      // A button of another kind.
    }
  }
  return undefined;
}

function* valuesIn(blocks: unknown): Iterable<string> {
  for (const block of Array.isArray(blocks) ? blocks : []) {
    const elements: unknown = block?.elements;
    for (const element of Array.isArray(elements) ? elements : [])
      if (typeof element?.value === 'string') yield element.value;
  }
}

/** Tells with a refusal where the action can be answered instead. */
export async function namingPage<T>(
  { publicUrl }: Pick<ListenerDeps['services'], 'publicUrl'>,
  id: string,
  working: Promise<T>,
): Promise<T> {
  try {
    return await working;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const details = { ...error.details, page: actionUrl(publicUrl, id) };
    throw new AppError(error.code, error.message, details, { cause: error });
  }
}
