import type { App, ViewSubmitAction } from '@slack/bolt';
import { editAction } from '../../approvals/edit.ts';
import { codePieces, inline, link } from '../../cards/blocks/mrkdwn.ts';
import { type ArgsChange, describeChange, diffRedacted } from '../../domain/decision/args-diff.ts';
import { redact, redactionsOf } from '../../domain/decision/redact.ts';
import { canonical } from '../../domain/digest.ts';
import { describeStages } from '../../domain/release.ts';
import { AppError } from '../../errors.ts';
import { actionUrl } from '../../links.ts';
import { type ActionRow, actionById, privateOf } from '../../records/action.ts';
import { shownArgs, toolAsAsked } from '../../records/args.ts';
import { manifestOf } from '../../records/manifest.ts';
import type { Services } from '../../services.ts';
import { actorFor } from '../identity.ts';
import { argsFrom, editView, firstArgInput } from '../modals/edit.ts';
import { INPUT, MODAL, noticeView } from '../modals.ts';
import { answerFromForm, namingPage, openedFor } from './answering.ts';
import { type Click, type ListenerDeps, personOf, type View } from './deps.ts';
import { FormProblem, type Submission, textOf } from './forms.ts';

const TITLE = 'Change the arguments';
const CHANGE_MAX = 400;
const PIECE_MAX = 2_900;
const PIECES_MAX = 4;
/** What is redacted is not for Slack, also when a person types it. */
const NOT_HERE =
  'A redacted value was written out, and Slack is no place for it. Leave [redacted] as it was, or change it on its page';

/** Changing the arguments of an action that waits. */
export function register(app: App, deps: ListenerDeps): void {
  app.view<ViewSubmitAction>(MODAL.edit, ({ ack, body }) => submit(deps, { ack, body }));
}

/** The form with the arguments as they are, redacted. */
export async function fillEdit(deps: ListenerDeps, body: Click, id: string): Promise<View> {
  const { services } = deps;
  const { action, meta } = await openedFor(deps, body, { id, verb: 'edit' });
  const args = await shownArgs(services.db.sql, action);
  if (!args) throw new AppError('wrong_state', 'Cannot edit: its arguments are erased');
  const page = link(actionUrl(services.publicUrl, id), 'Change them on its page');
  return (
    editView(action, args, meta) ??
    noticeView(TITLE, `The arguments are too long for Slack’s fields. ${page}.`)
  );
}

async function submit(deps: ListenerDeps, submission: Submission): Promise<void> {
  const { services, directory } = deps;
  const receivedAt = services.clock.now();
  const { body } = submission;
  const typed = typedIn(body);
  await answerFromForm(
    deps,
    submission,
    TITLE,
    async ({ id, digest, revision }) => {
      const read = argsFrom(typed);
      if (!read.ok) throw new FormProblem(read.errors);
      const asked = await actionById(services.db.sql, id);
      const actor = await actorFor(services, directory, personOf(body), asked.agent);
      const redactions = await hiddenOf(services, asked);
      if (canonical(redact({ redactions }, read.args)) !== canonical(read.args))
        throw new FormProblem({ [firstArgInput(typed)]: NOT_HERE });
      const reason = textOf(body, INPUT.reason);
      const input = { id, args: read.args, digest, revision, receivedAt, ...(reason ? { reason } : {}) };
      const action = await namingPage(services, id, editAction(services, actor, input));
      return noticeView(TITLE, await changedText(services, action));
    },
    firstArgInput(typed),
  );
}

/** What stands in each field, by its id. */
const typedIn = ({ view }: ViewSubmitAction): Record<string, string | null | undefined> =>
  Object.fromEntries(Object.entries(view.state.values).map(([id, inputs]) => [id, inputs[id]?.value]));

/** What is different now, what it asks, and what does not count any more. */
async function changedText(services: Services, action: ActionRow): Promise<string> {
  const changes = await changesOf(services, action);
  const lines = changes.map((change) => describeChange(change, CHANGE_MAX)).join('\n');
  const { pieces, left } = codePieces(lines, PIECE_MAX, PIECES_MAX);
  const lost = await approvalsLost(services, action);
  const asked = action.approval ? ` of ${inline(describeStages(action.approval), 200)}` : '';
  return [
    `*Changed.* Somebody else${asked} must approve it now; you do not count as an approver of it. ${lostText(lost)}`,
    `Risk now: ${action.risk}.`,
    ...pieces.map((piece) => `\`\`\`\n${piece}\n\`\`\``),
    ...(left > 0
      ? [`${left} more characters: ${link(actionUrl(services.publicUrl, action.id), 'see its page')}`]
      : []),
  ].join('\n');
}

const lostText = (count: number): string =>
  count === 0
    ? 'Nobody had approved it before.'
    : `${count} ${count === 1 ? 'approval' : 'approvals'} given before ${count === 1 ? 'does' : 'do'} not count any more.`;

async function changesOf(services: Services, action: ActionRow): Promise<readonly ArgsChange[]> {
  const { db } = services;
  const edit = await db.sql
    .selectFrom('action_edit')
    .select('args_before')
    .where('action_id', '=', action.id)
    .where('round', '=', action.round)
    .executeTakeFirst();
  const kept = await privateOf(db.sql, action.id);
  if (!edit?.args_before || !kept) return [];
  return diffRedacted(JSON.parse(edit.args_before), JSON.parse(kept.args), await hiddenOf(services, action));
}

async function hiddenOf({ db }: Services, action: ActionRow) {
  const known = toolAsAsked(await manifestOf(db.sql, action.agent), action);
  if (!known) throw new AppError('wrong_state', 'Cannot edit: its tool is not in the manifest any more');
  return redactionsOf(known);
}

async function approvalsLost({ db }: Services, action: ActionRow): Promise<number> {
  const rows = await db.sql
    .selectFrom('decision')
    .select('person')
    .where('action_id', '=', action.id)
    .where('round', '=', action.round - 1)
    .where('verdict', '=', 'approve')
    .execute();
  return rows.length;
}
