import type { types } from '@slack/bolt';
import type { SideBySide } from '../../approvals/side-by-side.ts';
import { type BatchMeta, itemValue, VALUE } from '../../cards/blocks/buttons.ts';
import { section } from '../../cards/blocks/message.ts';
import { dateText, inline, link } from '../../cards/blocks/mrkdwn.ts';
import { describeChange } from '../../domain/decision/args-diff.ts';
import { actionUrl } from '../../links.ts';
import {
  INPUT,
  type InputBlock,
  MODAL,
  type ModalView,
  option,
  plain,
  reasonInput,
  selectInput,
} from '../modals.ts';

const SUMMARY_MAX = 300;
const ARGS_MAX = 900;
const CHANGES_MAX = 4;
const CHANGE_MAX = 240;
/** Slack takes so many checkboxes in one group. */
const GROUP = 10;
const GROUP_ID = 'rows:';

/** What the table of a batch shows beside its rows. */
export interface BatchFrame {
  meta: BatchMeta;
  publicUrl: string;
  now: Date;
  /** Waiting requests like these that a Slack account must not approve. */
  elsewhere: number;
}

const VERDICTS = [option('Approve those that are ticked', 'approve'), option('Deny them', 'deny')];

/** Several requests in one table, each with its own tick: what was shown of each is what its tick carries. */
export function batchView(rows: readonly SideBySide[], frame: BatchFrame): ModalView {
  const needed = rows.some(({ action }) => action.approval?.reason === 'required');
  return {
    type: 'modal',
    callback_id: MODAL.batch,
    private_metadata: VALUE.batch.encode(frame.meta),
    title: plain(`Answer ${rows.length} together`),
    submit: plain('Answer them'),
    close: plain('Cancel'),
    blocks: [
      section('how', howText(rows.length, frame.elsewhere)),
      ...groupsOf(rows).flatMap(({ from, group }) => [
        ...group.map((row, at) => section(`row:${row.action.id}`, rowText(row, from + at + 1, frame))),
        ticks(group, from),
      ]),
      selectInput(INPUT.verdict, 'Your answer', VERDICTS),
      reasonInput(needed ? 'Why' : 'Why. Needed to deny: the agents read it', !needed),
    ],
  };
}

function howText(count: number, elsewhere: number): string {
  const ones = count === 1 ? 'One waits' : `${count} wait, the oldest first`;
  const more = elsewhere > 0 ? ` ${elsewhere} more have to be approved on the page.` : '';
  return `${ones}. Each is answered for itself, as it is shown here: one that changed meanwhile is left out and said.${more}`;
}

const groupsOf = (rows: readonly SideBySide[]): { from: number; group: readonly SideBySide[] }[] =>
  Array.from({ length: Math.ceil(rows.length / GROUP) }, (_, at) => ({
    from: at * GROUP,
    group: rows.slice(at * GROUP, (at + 1) * GROUP),
  }));

function rowText({ action, args, changes }: SideBySide, number: number, frame: BatchFrame): string {
  const about = [
    `risk ${action.risk}`,
    `waits ${waitText(frame.now.getTime() - action.asked_at.getTime())}`,
    ...(action.expires_at ? [`expires ${dateText(action.expires_at)}`] : []),
    link(actionUrl(frame.publicUrl, action.id), 'page'),
  ];
  return [
    `*${number}. ${inline(action.summary, SUMMARY_MAX)}*`,
    ...(changes ? changeLines(changes) : [argsLine(args)]),
    about.join(' · '),
  ].join('\n');
}

function changeLines(changes: NonNullable<SideBySide['changes']>): string[] {
  if (changes.length === 0) return ['The same arguments as the first one'];
  const shown = changes
    .slice(0, CHANGES_MAX)
    .map((change) => inline(describeChange(change, CHANGE_MAX), CHANGE_MAX));
  const left = changes.length - shown.length;
  return ['Different from the first one:', ...shown, ...(left > 0 ? [`and ${left} more: see its page`] : [])];
}

const argsLine = (args: SideBySide['args']): string =>
  args === undefined ? 'Arguments: erased' : `Arguments: ${inline(JSON.stringify(args), ARGS_MAX)}`;

function waitText(ms: number): string {
  const minutes = Math.floor(Math.max(0, ms) / 60_000);
  if (minutes < 60) return `${minutes} min`;
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1_440)} days`;
}

function ticks(group: readonly SideBySide[], from: number): InputBlock {
  const options = group.map(({ action }, at) =>
    option(
      `${from + at + 1}. ${action.summary}`,
      itemValue({ id: action.id, revision: action.revision, digest: action.args_digest }),
    ),
  );
  const id = `${GROUP_ID}${from}`;
  const element: types.Checkboxes = { type: 'checkboxes', action_id: id, options, initial_options: options };
  const title = group.length === 1 ? `Answer ${from + 1}` : `Answer ${from + 1} to ${from + group.length}`;
  return { type: 'input', block_id: id, optional: true, label: plain(title, 50), element };
}

export const FIRST_TICKS = `${GROUP_ID}0`;
export const isTicks = (blockId: string): boolean => blockId.startsWith(GROUP_ID);
