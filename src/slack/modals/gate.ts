import { type GateMeta, VALUE } from '../../cards/blocks/buttons.ts';
import { section } from '../../cards/blocks/message.ts';
import { inline } from '../../cards/blocks/mrkdwn.ts';
import { INPUT, type InputBlock, MODAL, type ModalView, option, plain, reasonInput } from '../modals.ts';

/** A checkbox group of Slack has ten options. */
const CHECKS_IN_ONE = 10;
const CHECK_MAX = 500;

/** Asks for what an approval of a gate needs: every check confirmed, and a reason. */
export function approveGateView(meta: GateMeta, checklist: readonly string[]): ModalView {
  const texts = checklist.map((check, at) => `${at + 1}. ${inline(check, CHECK_MAX)}`);
  return {
    ...gateView(meta),
    callback_id: MODAL.gateApprove,
    title: plain('Approve the gate'),
    submit: plain('Approve'),
    blocks: [
      aboutGate(meta, 'It goes on to its next step, which exposes more.'),
      ...(texts.length > 0 ? [section('checklist', texts.join('\n'))] : []),
      ...checkInputs(checklist),
      reasonInput('Why it may go on. The log gets this', false),
    ],
  };
}

export const rejectGateView = (meta: GateMeta): ModalView => ({
  ...gateView(meta),
  callback_id: MODAL.gateReject,
  title: plain('Reject the gate'),
  submit: plain('Reject'),
  blocks: [
    aboutGate(meta, 'The rollout is paused until somebody resumes it. What is exposed stays exposed.'),
    reasonInput('What is wrong. The log gets this', false),
  ],
});

const gateView = (meta: GateMeta) => ({
  type: 'modal' as const,
  private_metadata: VALUE.gateMeta.encode(meta),
  close: plain('Cancel'),
});

const aboutGate = ({ rollout, agent, step }: GateMeta, what: string) =>
  section('what', `*Step ${step} of rollout ${inline(rollout, 100)}* (${inline(agent, 80)}). ${what}`);

/** One group for every ten checks; what an option stands for is its number in the list. */
function checkInputs(checklist: readonly string[]): InputBlock[] {
  const groups = Math.ceil(checklist.length / CHECKS_IN_ONE);
  return Array.from({ length: groups }, (_, group): InputBlock => {
    const from = group * CHECKS_IN_ONE;
    const id = checksId(group);
    return {
      type: 'input',
      block_id: id,
      label: plain(groups === 1 ? 'Checked' : `Checked, ${group + 1} of ${groups}`, CHECK_MAX),
      element: {
        type: 'checkboxes',
        action_id: id,
        options: checklist
          .slice(from, from + CHECKS_IN_ONE)
          .map((check, at) => option(`${from + at + 1}. ${check}`, String(from + at))),
      },
    };
  });
}

export const checksId = (group: number): string => `${INPUT.checks}-${group}`;
