import type { App, ViewSubmitAction } from '@slack/bolt';
import { BUTTON, type More, parseMore, VALUE } from '../../cards/blocks/buttons.ts';
import { AppError } from '../../errors.ts';
import { approveView, glassView, RESPONSIBLE } from '../modals/approve.ts';
import { INPUT, MODAL, noticeView } from '../modals.ts';
import { answerFromForm, answerSeen, openedFor } from './answering.ts';
import { fillBatch } from './batch.ts';
import {
  type ButtonClick,
  type Click,
  type ListenerDeps,
  type MenuClick,
  personOf,
  type View,
} from './deps.ts';
import { fillEdit } from './edit.ts';
import { FormProblem, inputOf, openForm, reasonAtInput, type Submission, textOf } from './forms.ts';
import { fillStanding } from './standing-approvals.ts';

interface Form {
  title: string;
  fill: (deps: ListenerDeps, body: Click, id: string) => Promise<View>;
}

const APPROVE = 'Approve with a reason';
const GLASS = 'Break the glass';

/** What each entry of a card's menu opens. */
const FORMS: Readonly<Record<More, Form>> = {
  reason: { title: APPROVE, fill: fillApprove },
  edit: { title: 'Change the arguments', fill: fillEdit },
  standing: { title: 'Approve it and the like', fill: fillStanding },
  batch: { title: 'Answer together', fill: fillBatch },
  glass: { title: GLASS, fill: fillGlass },
};

/** The ways to answer that need a form, and what is submitted in those of one action. */
export function register(app: App, deps: ListenerDeps): void {
  app.action<MenuClick>(BUTTON.more, async ({ ack, body, action }) => {
    await ack();
    const { verb, id } = parseMore(action.selected_option.value);
    await open(deps, body, FORMS[verb], id);
  });
  app.action<ButtonClick>(BUTTON.approveReason, async ({ ack, body, action }) => {
    await ack();
    await open(deps, body, FORMS.reason, VALUE.action.parse(action.value).id);
  });
  app.view<ViewSubmitAction>(MODAL.approve, ({ ack, body }) => submitApprove(deps, { ack, body }));
  app.view<ViewSubmitAction>(MODAL.glass, ({ ack, body }) => submitGlass(deps, { ack, body }));
}

const open = (deps: ListenerDeps, body: Click, { title, fill }: Form, id: string): Promise<void> =>
  openForm(deps, body.trigger_id, title, () => fill(deps, body, id));

async function fillApprove(deps: ListenerDeps, body: Click, id: string): Promise<View> {
  const { action, meta } = await openedFor(deps, body, { id, verb: 'approve' });
  return approveView(action, meta);
}

async function submitApprove(deps: ListenerDeps, submission: Submission): Promise<void> {
  const receivedAt = deps.services.clock.now();
  const { body } = submission;
  await answerFromForm(deps, submission, APPROVE, async (meta) => {
    const reason = textOf(body, INPUT.reason);
    const { counted } = await answerSeen(deps, personOf(body), meta, {
      verdict: 'approve',
      receivedAt,
      ...(reason ? { reason } : {}),
    }).catch(reasonAtInput);
    return counted ? undefined : noticeView(APPROVE, ALREADY);
  });
}

async function fillGlass(deps: ListenerDeps, body: Click, id: string): Promise<View> {
  const { action, meta } = await openedFor(deps, body, { id, verb: 'approve' });
  if (action.approval?.breakGlass === undefined)
    throw new AppError('not_eligible', 'Cannot approve alone: its release lets nobody break the glass');
  return glassView(action, meta);
}

async function submitGlass(deps: ListenerDeps, submission: Submission): Promise<void> {
  const receivedAt = deps.services.clock.now();
  const { body } = submission;
  await answerFromForm(deps, submission, GLASS, async (meta) => {
    const ticked = inputOf(body, INPUT.responsible)?.selected_options?.map(({ value }) => value) ?? [];
    if (!ticked.includes(RESPONSIBLE))
      throw new FormProblem({ [INPUT.responsible]: 'Tick it, or close this form' });
    const reason = textOf(body, INPUT.reason);
    if (!reason) throw new FormProblem({ [INPUT.reason]: 'Say why it cannot wait' });
    const answer = { verdict: 'approve', breakGlass: true, reason, receivedAt } as const;
    const { counted } = await answerSeen(deps, personOf(body), meta, answer);
    return noticeView(GLASS, counted ? ALONE : ALREADY);
  });
}

const ALREADY = 'Your approval is counted already; once is enough.';
const ALONE =
  '*Approved by you alone.* On-call is being told, with your name and your reason; people review it afterwards.';
