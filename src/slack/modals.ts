import type { types } from '@slack/bolt';
import { type PlaceMeta, VALUE } from './buttons.ts';
import { section } from './cards/message.ts';
import { LIMITS } from './limits.ts';
import { cut } from './mrkdwn.ts';

type ModalView = types.ModalView;
type InputBlock = types.InputBlock;
type Option = types.PlainTextOption;

/** `callback_id` of every modal that is submitted. */
export const MODAL = {
  denyReason: 'deny-reason',
  report: 'report',
  disable: 'disable',
  enable: 'enable',
} as const;

/** `block_id` and `action_id` of the inputs. */
export const INPUT = { reason: 'reason', scope: 'scope', reads: 'reads' } as const;

const plain = (text: string, max: number = LIMITS.modalTitle) => ({
  type: 'plain_text' as const,
  text: cut(text, max),
});

const reasonInput = (label: string, optional: boolean): InputBlock => ({
  type: 'input',
  block_id: INPUT.reason,
  optional,
  label: plain(label, 200),
  element: {
    type: 'plain_text_input',
    action_id: INPUT.reason,
    multiline: true,
    max_length: LIMITS.inputText,
    focus_on_load: true,
  },
});

/** Asks for the reason of a denial. The input keeps its ids, so that what is typed stays when the text above changes. */
export function denyReasonView(place: PlaceMeta, state: 'recording' | 'counted'): ModalView {
  const text =
    state === 'recording'
      ? 'Your denial is being recorded. You can write the reason meanwhile.'
      : '*Denied: it counts already*, with or without a reason.';
  return {
    type: 'modal',
    callback_id: MODAL.denyReason,
    private_metadata: VALUE.place.encode(place),
    title: plain('Why not?'),
    submit: plain('Tell the agent'),
    close: plain('No reason'),
    blocks: [section(`state:${state}`, text), reasonInput('The agent and the log get this', false)],
  };
}

export const reportView = (place: PlaceMeta): ModalView => ({
  type: 'modal',
  callback_id: MODAL.report,
  private_metadata: VALUE.place.encode(place),
  title: plain('Report a wrong write'),
  submit: plain('Report it'),
  close: plain('Cancel'),
  blocks: [
    section('what', 'It counts as harm in the evidence of the rollout. It does not undo the write.'),
    reasonInput('What was wrong?', false),
  ],
});

/** Says something that needs no answer; also what a modal becomes when its work is done or refused. Escaped text. */
export const noticeView = (title: string, text: string): ModalView => ({
  type: 'modal',
  title: plain(title),
  close: plain('Close'),
  blocks: pieces(text).map((piece, index) => section(`notice${index}`, piece)),
});

/** Long escaped text in sections, cut between lines. */
function pieces(text: string): string[] {
  const list: string[] = [];
  for (const line of text.split('\n')) {
    const last = list.at(-1);
    if (last !== undefined && last.length + line.length + 1 <= LIMITS.sectionText)
      list[list.length - 1] = `${last}\n${line}`;
    else if (line !== '') list.push(cut(line, LIMITS.sectionText));
  }
  return list.slice(0, LIMITS.messageBlocks);
}

/** Stands while the choices are read: the trigger does not wait for the database. */
export const loadingView = (title: string): ModalView => noticeView(title, 'One moment…');

export interface ScopeChoice {
  scope: string;
  label: string;
}

/** What an option carries: a scope can be longer than an option's value may be. */
export type ScopeKey = (scope: string) => string;

interface ChooserOptions {
  channel: string;
  choices: readonly ScopeChoice[];
  keyOf: ScopeKey;
  chosen?: string;
}

/** What to switch off, whether reads too, and why. */
export const disableView = (options: ChooserOptions): ModalView => ({
  type: 'modal',
  callback_id: MODAL.disable,
  private_metadata: VALUE.channel.encode({ channel: options.channel }),
  title: plain('Emergency disable'),
  submit: plain('Disable now'),
  close: plain('Cancel'),
  blocks: [
    section(
      'what',
      'From the answer on, no write covered by it begins. What waits is void; what had begun is named.',
    ),
    scopeInput(options),
    {
      type: 'input',
      block_id: INPUT.reads,
      optional: true,
      label: plain('Reads', 50),
      element: {
        type: 'checkboxes',
        action_id: INPUT.reads,
        options: [{ text: plain('Stop reads too', 50), value: 'reads' }],
      },
    },
    reasonInput('Why', false),
  ],
});

export const enableView = (options: ChooserOptions): ModalView => ({
  type: 'modal',
  callback_id: MODAL.enable,
  private_metadata: VALUE.channel.encode({ channel: options.channel }),
  title: plain('Enable again'),
  submit: plain('Enable'),
  close: plain('Cancel'),
  blocks: [
    section('what', 'An agent or a tool takes one person, everything takes two. What was void stays void.'),
    scopeInput(options),
    reasonInput('Why is it safe again?', false),
  ],
});

function scopeInput({ choices, keyOf, chosen }: ChooserOptions): InputBlock {
  const options = choices.slice(0, LIMITS.options).map(
    ({ scope, label }): Option => ({
      text: plain(label, LIMITS.optionText),
      value: keyOf(scope),
    }),
  );
  const initial = chosen === undefined ? undefined : options.find(({ value }) => value === keyOf(chosen));
  return {
    type: 'input',
    block_id: INPUT.scope,
    label: plain('What', 50),
    element: {
      type: 'static_select',
      action_id: INPUT.scope,
      options,
      ...(initial ? { initial_option: initial } : {}),
    },
  };
}
