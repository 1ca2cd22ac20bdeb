import type { App, ViewSubmitAction } from '@slack/bolt';
import { BUTTON, VALUE } from '../../cards/blocks/buttons.ts';
import { inline } from '../../cards/blocks/mrkdwn.ts';
import { AppError } from '../../errors.ts';
import { storedReview } from '../../reviews/make.ts';
import { functionsOf } from '../../reviews/readers.ts';
import { answerReview } from '../../reviews/weekly.ts';
import { actorFor, type SlackPerson } from '../identity.ts';
import { commentView } from '../modals/comment.ts';
import { INPUT, MODAL } from '../modals.ts';
import { type ButtonClick, copyIn, copyOf, type ListenerDeps, personOf, tell, tellThread } from './deps.ts';
import { answerForm, openForm, type Submission, textOf } from './forms.ts';

const NOBODY =
  'Not recorded: no manifest names you under "reviews" for product, engineering, policy or operations.';

/** The buttons of a weekly page: whoever presses one has read it, for each function that a manifest names them for. */
export function register(app: App, deps: ListenerDeps): void {
  app.action<ButtonClick>(BUTTON.reviewRead, async ({ ack, body, action, respond }) => {
    await ack();
    const { week } = VALUE.review.parse(action.value);
    const done = await answerAs(deps, personOf(body), week);
    await tell(
      respond,
      done ? `Recorded: you have read ${week} for ${done.functions.join(' and ')}.` : NOBODY,
    );
  });
  app.action<ButtonClick>(BUTTON.reviewComment, async ({ ack, body, action }) => {
    await ack();
    const { week } = VALUE.review.parse(action.value);
    const copy = copyOf(body) ?? { channel: '', ts: '' };
    await openForm(deps, body.trigger_id, 'Comment', async () => commentView(week, copy));
  });
  app.view<ViewSubmitAction>(MODAL.comment, ({ ack, body }) => comment(deps, { ack, body }));
}

async function comment(deps: ListenerDeps, submission: Submission): Promise<void> {
  const { body } = submission;
  const work = async () => {
    const meta = VALUE.reviewMeta.parse(body.view.private_metadata);
    const text = textOf(body, INPUT.reason);
    if (!text) throw new AppError('invalid_input', 'No comment was written');
    const done = await answerAs(deps, personOf(body), meta.week, text);
    if (!done) throw new AppError('forbidden', NOBODY);
    const who = `${inline(done.person, 80)} for ${done.functions.join(' and ')}`;
    return { meta, text: `*Comment* of ${who}: ${inline(text, 1_000)}` };
  };
  const done = await answerForm(deps, submission, 'Comment', work, () => undefined, INPUT.reason);
  if (done) await tellThread(deps, copyIn(done.meta), done.text);
}

/** Undefined where no manifest names them. @throws AppError what kept the last agent from knowing them */
async function answerAs(
  { services, directory }: ListenerDeps,
  person: SlackPerson,
  week: string,
  said?: string,
): Promise<{ person: string; functions: string[] } | undefined> {
  const stored = await storedReview(services.db.sql, week);
  let refused: unknown;
  for (const agent of stored?.snapshot.agents ?? []) {
    try {
      const actor = await actorFor(services, directory, person, agent);
      const functions = actor.person ? await functionsOf(services.db.sql, actor.person) : [];
      if (functions.length === 0) continue;
      for (const name of functions)
        await answerReview(
          services,
          { ...actor, agent: undefined },
          { week, function: name, ...(said !== undefined && { comment: said }) },
        );
      return { person: actor.person ?? actor.id, functions };
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      refused ??= error;
    }
  }
  if (refused) throw refused;
  return undefined;
}
