import { setTimeout } from 'node:timers/promises';
import type { App, RespondFn } from '@slack/bolt';
import type { Answered } from '../../approvals/answer-input.ts';
import { type ActionValue, BUTTON, VALUE } from '../../cards/blocks/buttons.ts';
import type { Verdict } from '../../domain/approval/approval.ts';
import { denyReasonView, noticeView, reportView } from '../modals.ts';
import { wordsFor } from '../words.ts';
import { answerSeen } from './answering.ts';
import { type ButtonClick, copyOf, type ListenerDeps, personOf, refreshClicked, tell } from './deps.ts';

const ACK_AFTER_MS = 2_000;

/** The buttons of an action's card. */
export function register(app: App, deps: ListenerDeps): void {
  app.action<ButtonClick>(BUTTON.approve, async ({ ack, body, action, respond }) => {
    const value = VALUE.action.parse(action.value);
    const deciding = decide(deps, body, value, 'approve');
    await acknowledge(ack, deciding);
    await show(deps, body, respond, await deciding, 'approve');
  });
  app.action<ButtonClick>(BUTTON.deny, async ({ ack, body, action, respond }) => {
    const value = VALUE.action.parse(action.value);
    const deciding = decide(deps, body, value, 'deny');
    const denying = deny(deps, body, respond, value.id, deciding);
    await Promise.all([acknowledge(ack, deciding), denying]);
  });
  app.action<ButtonClick>(BUTTON.denyReason, async ({ ack, body, action }) => {
    await ack();
    const { id } = VALUE.action.parse(action.value);
    await deps.client.views.open({
      trigger_id: body.trigger_id,
      view: denyReasonView(placeOf(body, id), 'counted'),
    });
  });
  app.action<ButtonClick>(BUTTON.report, async ({ ack, body, action }) => {
    await ack();
    const { id } = VALUE.action.parse(action.value);
    await deps.client.views.open({ trigger_id: body.trigger_id, view: reportView(placeOf(body, id)) });
  });
  app.action(BUTTON.open, ({ ack }) => ack());
}

const placeOf = (body: ButtonClick, id: string) => ({ id, ...(copyOf(body) ?? { channel: '', ts: '' }) });

/**
 * A click is acknowledged once it is committed, so that a crash before shows as a failure in Slack and is never lost
 * silently. Slack waits three seconds; a slow store is waited for in the background after two.
 */
async function acknowledge(ack: () => Promise<void>, committing: Promise<unknown>): Promise<void> {
  await Promise.race([committing.catch(() => {}), setTimeout(ACK_AFTER_MS, undefined, { ref: false })]);
  await ack();
}

const decide = (deps: ListenerDeps, body: ButtonClick, value: ActionValue, verdict: Verdict) =>
  answerSeen(deps, personOf(body), value, { verdict, receivedAt: deps.services.clock.now() });

/** The trigger lives three seconds: the modal opens while the denial is being committed, and then says what became of it. */
async function deny(
  deps: ListenerDeps,
  body: ButtonClick,
  respond: RespondFn,
  id: string,
  deciding: Promise<Answered>,
) {
  const place = placeOf(body, id);
  const opening = deps.client.views
    .open({ trigger_id: body.trigger_id, view: denyReasonView(place, 'recording') })
    .then(({ view }) => view?.id)
    .catch(() => undefined);
  const updateModal = async (view: ReturnType<typeof noticeView>) => {
    const view_id = await opening;
    if (view_id) await deps.client.views.update({ view_id, view }).catch(() => undefined);
  };
  try {
    const decided = await deciding;
    await Promise.all([
      updateModal(denyReasonView(place, 'counted')),
      show(deps, body, respond, decided, 'deny'),
    ]);
  } catch (error) {
    await updateModal(noticeView('Not denied', wordsFor(error)));
    throw error;
  }
}

async function show(
  deps: ListenerDeps,
  body: ButtonClick,
  respond: RespondFn,
  { action, counted }: Answered,
  verdict: Verdict,
) {
  const shown = await refreshClicked(deps, action.id, copyOf(body));
  const word = verdict === 'approve' ? 'approval' : 'denial';
  if (!counted) await tell(respond, `Your ${word} is counted already; once is enough.`);
  else if (!shown)
    await tell(respond, `*Recorded:* your ${word} counts. The card follows as soon as Slack takes it.`);
}
