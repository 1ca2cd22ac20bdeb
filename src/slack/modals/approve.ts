import { type SeenMeta, VALUE } from '../../cards/blocks/buttons.ts';
import { header, section } from '../../cards/blocks/message.ts';
import { inline } from '../../cards/blocks/mrkdwn.ts';
import type { ActionRow } from '../../records/action.ts';
import {
  INPUT,
  type InputBlock,
  MODAL,
  type ModalView,
  option,
  plain,
  reasonInput,
  textInput,
} from '../modals.ts';

const SUMMARY_MAX = 600;

/** Asks for the reason of an approval. */
export const approveView = (action: ActionRow, meta: SeenMeta): ModalView => ({
  type: 'modal',
  callback_id: MODAL.approve,
  private_metadata: VALUE.seen.encode(meta),
  title: plain('Approve with a reason'),
  submit: plain('Approve'),
  close: plain('Cancel'),
  blocks: [
    section('what', `*${inline(action.summary, SUMMARY_MAX)}*`),
    reasonInput('Why it may be done. The log gets this', action.approval?.reason !== 'required'),
  ],
});

/** Asks twice before one person approves alone. */
export const glassView = (action: ActionRow, meta: SeenMeta): ModalView => ({
  type: 'modal',
  callback_id: MODAL.glass,
  private_metadata: VALUE.seen.encode(meta),
  title: plain('Break the glass'),
  submit: plain('Approve it alone'),
  close: plain('Cancel'),
  blocks: [
    header('loud', '🚨 Emergency: you approve this alone'),
    section('what', `*${inline(action.summary, SUMMARY_MAX)}*`),
    section(
      'how',
      'Nobody else is asked. On-call is told at once with your name and your reason, and people review it afterwards.',
    ),
    textInput(INPUT.reason, 'Why it cannot wait for the others', { focus: true }),
    responsibleInput,
  ],
});

export const RESPONSIBLE = 'yes';

const responsibleInput: InputBlock = {
  type: 'input',
  block_id: INPUT.responsible,
  label: plain('This is on me', 50),
  element: {
    type: 'checkboxes',
    action_id: INPUT.responsible,
    options: [option('I take responsibility', RESPONSIBLE)],
  },
};
