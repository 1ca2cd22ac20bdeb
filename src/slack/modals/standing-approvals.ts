import type { StandingApprovalInput } from '../../approvals/standing/wish.ts';
import { type SeenMeta, VALUE } from '../../cards/blocks/buttons.ts';
import { LIMITS } from '../../cards/blocks/limits.ts';
import { section } from '../../cards/blocks/message.ts';
import { inline } from '../../cards/blocks/mrkdwn.ts';
import type { EnvelopeSuggestion } from '../../domain/decision/envelope.ts';
import type { ActionRow } from '../../records/action.ts';
import {
  INPUT,
  MODAL,
  type ModalView,
  option,
  plain,
  reasonInput,
  selectInput,
  textInput,
} from '../modals.ts';

const SUMMARY_MAX = 600;
const OPEN_MAX = 10;
const HOUR_MS = 3_600_000;
const TIMES = [option('The next hour', '1'), option('4 hours', '4'), option('24 hours', '24')];
const USES = [option('The next 5 times', '5'), option('20 times', '20'), option('100 times', '100')];

/** "Approve it and the like", bounded by time, by number and by an envelope. */
export const standingView = (
  action: ActionRow,
  { text, open }: EnvelopeSuggestion,
  meta: SeenMeta,
): ModalView => ({
  type: 'modal',
  callback_id: MODAL.standing,
  private_metadata: VALUE.seen.encode(meta),
  title: plain('Approve it and the like'),
  submit: plain('Approve it and these'),
  close: plain('Cancel'),
  blocks: [
    section('what', `*${inline(action.summary, SUMMARY_MAX)}*`),
    section('how', howText(action, open)),
    selectInput(INPUT.time, 'For how long', TIMES, TIMES[0]),
    selectInput(INPUT.uses, 'At most how often', USES, USES[0]),
    textInput(INPUT.envelope, 'What counts as the like of it', {
      initial: text.length <= LIMITS.inputText ? text : '',
      hint: 'A condition in CEL over args. Widen it with care: whatever it is true of runs without asking.',
    }),
    reasonInput('Why', action.approval?.reason !== 'required'),
  ],
});

function howText({ tool, segment }: ActionRow, open: readonly string[]): string {
  const named = open.slice(0, OPEN_MAX).map((path) => inline(path, 80));
  const more = open.length > OPEN_MAX ? ` and ${open.length - OPEN_MAX} more` : '';
  return [
    `Approves this one, and lets the next ones of ${inline(tool, 80)} in segment ${inline(segment ?? 'none', 80)} run without asking as long as the condition below is true of them. It ends sooner when phase or release change, with an incident, a rollback or a switch, and when somebody takes it back.`,
    ...(named.length > 0 ? [`*Left open, any value passes:* ${named.join(', ')}${more}`] : []),
  ].join('\n');
}

/** What was chosen; `undefined` when something was not. */
export function standingFrom(
  time: string | undefined,
  uses: string | undefined,
  envelope: string | null | undefined,
): StandingApprovalInput | undefined {
  const known = TIMES.some(({ value }) => value === time) && USES.some(({ value }) => value === uses);
  if (!known || !envelope) return undefined;
  return { envelope, maxUses: Number(uses), forMs: Number(time) * HOUR_MS };
}
