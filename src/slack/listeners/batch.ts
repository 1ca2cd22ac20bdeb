import type { App, ViewSubmitAction } from '@slack/bolt';
import {
  answerBatch,
  BATCH_MAX,
  type BatchItem,
  type BatchResult,
  likeActions,
} from '../../approvals/batch.ts';
import { answerTogether } from '../../approvals/side-by-side.ts';
import { BUTTON, parseItem, VALUE } from '../../cards/blocks/buttons.ts';
import { inline } from '../../cards/blocks/mrkdwn.ts';
import { slackMayApprove, type Verdict } from '../../domain/approval/approval.ts';
import { waitingForDigest } from '../../reaching/digest.ts';
import { type ActionRow, actionById } from '../../records/action.ts';
import { manifestOf } from '../../records/manifest.ts';
import type { Services } from '../../services.ts';
import { actorFor } from '../identity.ts';
import { batchView, FIRST_TICKS, isTicks } from '../modals/batch.ts';
import { INPUT, MODAL, noticeView } from '../modals.ts';
import { denyElsewhere } from './answering.ts';
import {
  type ButtonClick,
  type Click,
  copyIn,
  copyOf,
  type ListenerDeps,
  personOf,
  refreshClicked,
  type View,
} from './deps.ts';
import { answerForm, FormProblem, inputOf, openForm, type Submission, textOf } from './forms.ts';

const TITLE = 'Answer together';
const SUMMARY_MAX = 120;
const MESSAGE_MAX = 400;

/** Answering several at once, each by its own id. */
export function register(app: App, deps: ListenerDeps): void {
  app.action<ButtonClick>(BUTTON.digestAnswer, async ({ ack, body, action }) => {
    await ack();
    const { agent } = VALUE.digest.parse(action.value);
    await openForm(deps, body.trigger_id, TITLE, async () =>
      tableOf(deps, body, agent, await inDigest(deps.services, agent), ''),
    );
  });
  app.view<ViewSubmitAction>(MODAL.batch, ({ ack, body }) => submit(deps, { ack, body }));
}

/** The table of what waits and is like one action. */
export async function fillBatch(deps: ListenerDeps, body: Click, id: string): Promise<View> {
  const { agent } = await actionById(deps.services.db.sql, id);
  return tableOf(deps, body, agent, await likeActions(deps.services, id), id);
}

/** What the digest of an agent tells of, the oldest first. */
async function inDigest({ db }: Services, agent: string): Promise<ActionRow[]> {
  const waiting = await waitingForDigest(db.sql, await manifestOf(db.sql, agent));
  return waiting.slice(0, BATCH_MAX);
}

async function tableOf(
  { services, directory }: ListenerDeps,
  body: Click,
  agent: string,
  actions: readonly ActionRow[],
  id: string,
): Promise<View> {
  const actor = await actorFor(services, directory, personOf(body), agent);
  const rows = await answerTogether(services, actor, actions);
  const here = rows.filter(({ action }) => slackMayApprove(action));
  const elsewhere = rows.length - here.length;
  if (here.length === 0) return noticeView(TITLE, noneText(elsewhere));
  const meta = { agent, id, ...(copyOf(body) ?? { channel: '', ts: '' }) };
  return batchView(here, { meta, elsewhere, publicUrl: services.publicUrl, now: services.clock.now() });
}

const noneText = (elsewhere: number): string =>
  elsewhere === 0
    ? 'Nothing like it waits that you may approve now and have not answered.'
    : `${elsewhere} wait, and their release wants them approved on the page or by CLI: a Slack account alone is not enough.`;

async function submit(deps: ListenerDeps, submission: Submission): Promise<void> {
  const receivedAt = deps.services.clock.now();
  const { body } = submission;
  const work = async () => {
    const { services, directory } = deps;
    const meta = VALUE.batch.parse(body.view.private_metadata);
    const chosen = chosenIn(body);
    const [first] = chosen.items;
    const stop = chosen.verdict === 'deny' && first ? denyElsewhere(services, first.id) : undefined;
    const actor = await actorFor(services, directory, personOf(body), meta.agent, stop);
    const results = await answerBatch(services, actor, { ...chosen, receivedAt });
    return { meta, text: await resultText(services, results, chosen.verdict) };
  };
  const done = await answerForm(deps, submission, TITLE, work, ({ text }) => noticeView(TITLE, text));
  if (done && done.meta.id !== '') await refreshClicked(deps, done.meta.id, copyIn(done.meta));
}

/** Which ones, as each was shown, and the answer to them. @throws FormProblem */
function chosenIn(body: ViewSubmitAction): { items: BatchItem[]; verdict: Verdict; reason?: string } {
  const groups = Object.keys(body.view.state.values).filter(isTicks);
  const ticked = groups.flatMap((id) => inputOf(body, id)?.selected_options ?? []);
  const items = ticked.map(({ value }): BatchItem => parseItem(value));
  if (items.length === 0) throw new FormProblem({ [FIRST_TICKS]: 'Tick at least one' });
  const verdict = inputOf(body, INPUT.verdict)?.selected_option?.value;
  if (verdict !== 'approve' && verdict !== 'deny') throw new FormProblem({ [INPUT.verdict]: 'Choose one' });
  const reason = textOf(body, INPUT.reason);
  if (verdict === 'deny' && !reason) throw new FormProblem({ [INPUT.reason]: 'Say why not' });
  return { items, verdict, ...(reason ? { reason } : {}) };
}

async function resultText(
  { db }: Services,
  results: readonly BatchResult[],
  verdict: Verdict,
): Promise<string> {
  const rows = await db.sql
    .selectFrom('action')
    .select(['id', 'summary'])
    .where(
      'id',
      'in',
      results.map(({ id }) => id),
    )
    .execute();
  const counted = results.filter((result) => 'counted' in result).length;
  const lines = results.map((result) => {
    const summary = rows.find(({ id }) => id === result.id)?.summary ?? result.id;
    return `• ${inline(summary, SUMMARY_MAX)}: ${resultWords(result)}`;
  });
  const word = verdict === 'approve' ? 'approvals' : 'denials';
  return [`*${counted} of ${results.length} ${word} count.*`, ...lines].join('\n');
}

function resultWords(result: BatchResult): string {
  if (!('counted' in result)) return `*not counted.* ${inline(result.message, MESSAGE_MAX)}`;
  if (!result.counted) return 'you had answered so before';
  return result.action.state === 'pending'
    ? 'your approval counts, others must agree, too'
    : result.action.state;
}
