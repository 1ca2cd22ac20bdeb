import { VALUE } from '../../cards/blocks/buttons.ts';
import { section } from '../../cards/blocks/message.ts';
import type { Copy } from '../../records/copy.ts';
import { MODAL, type ModalView, plain, reasonInput } from '../modals.ts';

/** Asks what somebody has to say of the page of a week. */
export const commentView = (week: string, copy: Copy): ModalView => ({
  type: 'modal',
  callback_id: MODAL.comment,
  private_metadata: VALUE.reviewMeta.encode({ week, ...copy }),
  title: plain('Comment'),
  submit: plain('Comment'),
  close: plain('Cancel'),
  blocks: [
    section('what', `On *week ${week}*. It stands on its page, and says that you have read it.`),
    reasonInput('What do you have to say?', false),
  ],
});
