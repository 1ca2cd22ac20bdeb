import { setTimeout } from 'node:timers/promises';
import type { AckFn, ViewResponseAction, ViewSubmitAction } from '@slack/bolt';
import { inline } from '../../cards/blocks/mrkdwn.ts';
import { slackFailure } from '../../cards/posting/failure.ts';
import { isStoreDown, isStoreSlow } from '../../db/failure.ts';
import { saysSomething } from '../../domain/unseen.ts';
import { AppError } from '../../errors.ts';
import { INPUT, loadingView, noticeView } from '../modals.ts';
import { plainWordsFor, wordsFor } from '../words.ts';
import type { ListenerDeps, View } from './deps.ts';
import { noteFailure } from './errors.ts';

/** Slack waits three seconds for an answer. */
const ANSWER_AFTER_MS = 2_000;

/** A submitted modal and how it is answered. */
export interface Submission {
  ack: AckFn<ViewResponseAction>;
  body: ViewSubmitAction;
}

/** What somebody typed cannot be taken; said under the inputs it stands in. */
export class FormProblem extends Error {
  constructor(readonly errors: Readonly<Record<string, string>>) {
    super(Object.values(errors).join(' '));
    this.name = 'FormProblem';
  }
}

/**
 * Opens a modal at once, because the trigger lives three seconds, and fills it when what it shows is read. A failure of
 * reading is said in it.
 * @throws SlackFailure when Slack does not open it
 */
export async function openForm(
  deps: ListenerDeps,
  trigger_id: string,
  title: string,
  read: () => Promise<View>,
): Promise<void> {
  const { client, services } = deps;
  const reading = read().catch((error: unknown) => noticeFor(deps, title, error));
  const opening = client.views.open({ trigger_id, view: loadingView(title) });
  const opened = await opening.catch((error: unknown) => {
    throw slackFailure(error);
  });
  const view_id = opened.view?.id;
  if (!view_id) return;
  const view = await reading;
  await client.views.update({ view_id, view }).catch(async (error: unknown) => {
    services.log.warn({ err: error }, 'a form could not be filled, or was closed before');
    const failed = noticeView(title, 'Slack does not show this form. Open the page instead.');
    await client.views.update({ view_id, view: failed }).catch(() => undefined);
  });
}

/**
 * Does what was submitted and answers with what became of it: `said` is shown in the modal, `undefined` closes it, and
 * a refusal is said under `input` where one is named, so that nothing typed is lost. A slow store is waited for behind
 * a notice. Returns what was done; `undefined` when it was not.
 */
export async function answerForm<T>(
  deps: ListenerDeps,
  { ack, body }: Submission,
  title: string,
  work: () => Promise<T>,
  said: (done: T) => View | undefined,
  input?: string,
): Promise<T | undefined> {
  const working = work().then(
    (done) => ({ done }),
    (error: unknown) => ({ error }),
  );
  const inTime = await Promise.race([working, setTimeout(ANSWER_AFTER_MS, undefined, { ref: false })]);
  if (inTime && 'done' in inTime) {
    const view = said(inTime.done);
    await ack(view && { response_action: 'update', view });
    return inTime.done;
  }
  if (inTime) {
    await ack(refusalOf(deps, title, inTime.error, input));
    return undefined;
  }
  await ack({ response_action: 'update', view: noticeView(title, 'It is being recorded…') });
  const late = await working;
  const view =
    'done' in late
      ? (said(late.done) ?? noticeView(title, '*Done:* it counts.'))
      : noticeFor(deps, title, late.error);
  await deps.client.views
    .update({ view_id: body.view.id, view })
    .catch((error: unknown) => deps.services.log.warn({ err: error }, 'the answer to a form was not shown'));
  return 'done' in late ? late.done : undefined;
}

function refusalOf(
  deps: ListenerDeps,
  title: string,
  error: unknown,
  input: string | undefined,
): ViewResponseAction {
  if (error instanceof FormProblem) return { response_action: 'errors', errors: { ...error.errors } };
  if (input === undefined || !(error instanceof AppError || isStoreDown(error) || isStoreSlow(error)))
    return { response_action: 'update', view: noticeFor(deps, title, error) };
  return { response_action: 'errors', errors: { [input]: plainWordsFor(error) } };
}

function noticeFor(deps: ListenerDeps, title: string, error: unknown): View {
  if (!(error instanceof FormProblem)) noteFailure(deps, error);
  return noticeView(title, error instanceof FormProblem ? inline(error.message, 1_000) : wordsFor(error));
}

/** A missing reason is said where it belongs. */
export function reasonAtInput(error: unknown): never {
  if (error instanceof AppError && error.code === 'reason_needed')
    throw new FormProblem({ [INPUT.reason]: `${error.message}. Say why` });
  throw error;
}

/** What stands in an input of a submitted modal. */
export const inputOf = (body: ViewSubmitAction, id: string) => body.view.state.values[id]?.[id];

/** The text of an input without the space around it; `undefined` when there is none that people can see. */
export function textOf(body: ViewSubmitAction, id: string): string | undefined {
  const text = inputOf(body, id)?.value ?? '';
  return saysSomething(text) ? text.trim() : undefined;
}
