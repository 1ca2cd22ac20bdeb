import type { types } from '@slack/bolt';
import { type PlaceMeta, VALUE } from '../cards/blocks/buttons.ts';
import { LIMITS } from '../cards/blocks/limits.ts';
import { linesIn, section } from '../cards/blocks/message.ts';
import { cut, label } from '../cards/blocks/mrkdwn.ts';

export type ModalView = types.ModalView;
export type InputBlock = types.InputBlock;
export type Option = types.PlainTextOption;

/** `callback_id` of every modal that is submitted. */
export const MODAL = {
  denyReason: 'deny-reason',
  report: 'report',
  disable: 'disable',
  enable: 'enable',
  approve: 'approve',
  edit: 'edit',
  standing: 'standing',
  batch: 'batch',
  glass: 'break-glass',
  gateApprove: 'gate-approve',
  gateReject: 'gate-reject',
  classify: 'classify',
  comment: 'comment',
} as const;

/** `block_id` and `action_id` of the inputs. */
export const INPUT = {
  reason: 'reason',
  scope: 'scope',
  reads: 'reads',
  args: 'args',
  envelope: 'envelope',
  uses: 'uses',
  time: 'time',
  verdict: 'verdict',
  responsible: 'responsible',
  checks: 'checks',
  mechanism: 'mechanism',
  certainty: 'certainty',
  origin: 'origin',
  result: 'result',
  contributing: 'contributing',
  entries: 'entries',
} as const;

const LABEL_MAX = 200;
const HINT_MAX = 500;
const SECTIONS_MAX = 50;

/** Our own words, where Slack reads no markup. */
export const plain = (text: string, max: number = LIMITS.modalTitle) => ({
  type: 'plain_text' as const,
  text: cut(text, max),
});

/** A field for text; `id` is both `block_id` and `action_id`. */
export const textInput = (
  id: string,
  title: string,
  more: { optional?: boolean; initial?: string; hint?: string; focus?: boolean } = {},
): InputBlock => ({
  type: 'input',
  block_id: id,
  optional: more.optional ?? false,
  label: plain(title, LABEL_MAX),
  ...(more.hint ? { hint: plain(more.hint, HINT_MAX) } : {}),
  element: {
    type: 'plain_text_input',
    action_id: id,
    multiline: true,
    max_length: LIMITS.inputText,
    ...(more.initial ? { initial_value: more.initial } : {}),
    ...(more.focus ? { focus_on_load: true } : {}),
  },
});

export const reasonInput = (title: string, optional: boolean): InputBlock =>
  textInput(INPUT.reason, title, { optional, focus: true });

/** A choice of one. */
export function selectInput(
  id: string,
  title: string,
  options: readonly Option[],
  initial?: Option,
  optional = false,
): InputBlock {
  const element: types.StaticSelect = {
    type: 'static_select',
    action_id: id,
    options: [...options],
    ...(initial ? { initial_option: initial } : {}),
  };
  return { type: 'input', block_id: id, optional, label: plain(title, LABEL_MAX), element };
}

/** A choice of any number. */
export const multiSelectInput = (id: string, title: string, options: readonly Option[]): InputBlock => ({
  type: 'input',
  block_id: id,
  optional: true,
  label: plain(title, LABEL_MAX),
  element: { type: 'multi_static_select', action_id: id, options: [...options] },
});

export const option = (text: string, value: string): Option => ({
  text: { type: 'plain_text', text: label(text, LIMITS.optionText) },
  value,
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
  blocks: sections('notice', text),
});

/** Long escaped text in sections, parted between lines. */
export const sections = (id: string, text: string): types.SectionBlock[] =>
  linesIn(text, LIMITS.sectionText)
    .slice(0, SECTIONS_MAX)
    .map((piece, index) => section(`${id}:${index}`, piece));

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
  const options = choices
    .slice(0, LIMITS.options)
    .map(({ scope, label: text }) => option(text, keyOf(scope)));
  const initial = chosen === undefined ? undefined : options.find(({ value }) => value === keyOf(chosen));
  return selectInput(INPUT.scope, 'What', options, initial);
}
