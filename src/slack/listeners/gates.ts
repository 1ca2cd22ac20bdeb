import type { App, ViewSubmitAction } from '@slack/bolt';
import { BUTTON, type GateMeta, VALUE } from '../../cards/blocks/buttons.ts';
import { inline } from '../../cards/blocks/mrkdwn.ts';
import { AppError } from '../../errors.ts';
import { rolloutById, stepOf } from '../../records/rollout.ts';
import { runRolloutVerb } from '../../rollouts/verbs.ts';
import { actorFor } from '../identity.ts';
import { approveGateView, checksId, rejectGateView } from '../modals/gate.ts';
import { INPUT, MODAL } from '../modals.ts';
import { type ButtonClick, copyIn, copyOf, type ListenerDeps, personOf, tellThread } from './deps.ts';
import { answerForm, inputOf, openForm, type Submission, textOf } from './forms.ts';

/** The buttons of an alert about a gate, and the modals that they open. */
export function register(app: App, deps: ListenerDeps): void {
  const { services } = deps;
  app.action<ButtonClick>(BUTTON.gateApprove, async ({ ack, body, action }) => {
    await ack();
    const meta = metaOf(body, action.value);
    await openForm(deps, body.trigger_id, 'Approve the gate', async () => {
      const rollout = await rolloutById(services.db.sql, meta.rollout);
      return approveGateView(meta, stepOf(rollout).gate.checklist);
    });
  });
  app.action<ButtonClick>(BUTTON.gateReject, async ({ ack, body, action }) => {
    await ack();
    await openForm(deps, body.trigger_id, 'Reject the gate', async () =>
      rejectGateView(metaOf(body, action.value)),
    );
  });
  app.view<ViewSubmitAction>(MODAL.gateApprove, ({ ack, body }) =>
    answerGate(deps, { ack, body }, 'approve-gate'),
  );
  app.view<ViewSubmitAction>(MODAL.gateReject, ({ ack, body }) =>
    answerGate(deps, { ack, body }, 'reject-gate'),
  );
}

const metaOf = (body: ButtonClick, value: string | undefined): GateMeta => ({
  ...VALUE.gate.parse(value),
  ...(copyOf(body) ?? { channel: '', ts: '' }),
});

async function answerGate(
  deps: ListenerDeps,
  submission: Submission,
  verb: 'approve-gate' | 'reject-gate',
): Promise<void> {
  const { services, directory } = deps;
  const { body } = submission;
  const title = verb === 'approve-gate' ? 'Approve the gate' : 'Reject the gate';
  const work = async () => {
    const meta = VALUE.gateMeta.parse(body.view.private_metadata);
    const reason = textOf(body, INPUT.reason);
    if (!reason) throw new AppError('invalid_input', 'No reason was written');
    const actor = await actorFor(services, directory, personOf(body), meta.agent);
    const { gate } = stepOf(await rolloutById(services.db.sql, meta.rollout));
    const answer = await runRolloutVerb(services, actor, {
      id: meta.rollout,
      verb,
      reason,
      step: meta.step,
      ...(verb === 'approve-gate' && { checklist: checkedOf(body, gate.checklist) }),
    });
    return {
      meta,
      text: `*${verb === 'approve-gate' ? 'Approved' : 'Rejected'}* by ${inline(actor.id, 80)}: ${inline(reason, 1_000)} (${answer.detail})`,
    };
  };
  const done = await answerForm(deps, submission, title, work, () => undefined, INPUT.reason);
  if (done) await tellThread(deps, copyIn(done.meta), done.text);
}

/** What was ticked, as the list of the step has it. */
function checkedOf(body: ViewSubmitAction, checklist: readonly string[]): string[] {
  const groups = Object.keys(body.view.state.values).length;
  return Array.from({ length: groups }, (_, group) => inputOf(body, checksId(group))?.selected_options ?? [])
    .flat()
    .flatMap(({ value }) => checklist[Number(value)] ?? []);
}
