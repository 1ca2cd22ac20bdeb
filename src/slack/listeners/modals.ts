import type { App, ViewSubmitAction } from '@slack/bolt';
import { correctAction } from '../../actions/correct.ts';
import { explainDenial } from '../../actions/explain.ts';
import { actionById } from '../../actions/store.ts';
import type { Actor } from '../../context.ts';
import { AppError } from '../../errors.ts';
import { listDisabled } from '../../switches/list.ts';
import { type PlaceMeta, VALUE } from '../buttons.ts';
import { actorFor, actorsFor } from '../identity.ts';
import { INPUT, loadingView, MODAL, noticeView } from '../modals.ts';
import { scopeChoices, scopeKey } from '../scopes.ts';
import { wordsFor } from '../words.ts';
import { runSwitch } from './commands.ts';
import { type ListenerDeps, personOf, refreshClicked } from './deps.ts';

type Submitted = ViewSubmitAction;

/** What is submitted in modals. */
export function register(app: App, deps: ListenerDeps): void {
  app.view<Submitted>(MODAL.denyReason, async ({ ack, body }) => {
    await ack();
    await withReason(deps, body, (actor, input) => explainDenial(deps.services, actor, input));
  });
  app.view<Submitted>(MODAL.report, async ({ ack, body }) => {
    await ack();
    await withReason(deps, body, (actor, input) => correctAction(deps.services, actor, input));
  });
  for (const verb of ['disable', 'enable'] as const) {
    const title = verb === 'disable' ? 'Emergency disable' : 'Enable again';
    app.view<Submitted>(MODAL[verb], async ({ ack, body }) => {
      await ack({ response_action: 'update', view: loadingView(title) });
      const text = await switchBy(deps, verb, body).catch(wordsFor);
      await deps.client.views.update({ view_id: body.view.id, view: noticeView(title, text) });
    });
  }
}

/** Adds a person's reason to an action, and shows it on the copy the modal was opened from. */
async function withReason(
  deps: ListenerDeps,
  body: Submitted,
  verb: (actor: Actor, input: { id: string; reason: string }) => Promise<unknown>,
): Promise<void> {
  const { services, directory } = deps;
  const { id, channel, ts }: PlaceMeta = VALUE.place.parse(body.view.private_metadata);
  const reason = inputOf(body, INPUT.reason)?.value?.trim();
  if (!reason) throw new AppError('invalid_input', 'No reason was written');
  const { agent } = await actionById(services.db.sql, id);
  await verb(await actorFor(services, directory, personOf(body), agent), { id, reason });
  await refreshClicked(deps, id, ts === '' ? undefined : { channel, ts });
}

async function switchBy(deps: ListenerDeps, verb: 'disable' | 'enable', body: Submitted): Promise<string> {
  const { services, directory } = deps;
  const who = personOf(body);
  const key = inputOf(body, INPUT.scope)?.selected_option?.value;
  const known =
    verb === 'disable'
      ? scopeChoices((await actorsFor(services, directory, who)).map((each) => each.agent)).map(
          ({ scope }) => scope,
        )
      : (await listDisabled(services.db.sql)).map(({ scope }) => scope);
  const scope = known.find((each) => scopeKey(each) === key);
  if (scope === undefined)
    throw new AppError('invalid_input', 'What was chosen is not there any more: choose again');
  const reads = inputOf(body, INPUT.reads)?.selected_options?.some(({ value }) => value === 'reads') ?? false;
  return runSwitch(deps, who, { do: verb, scope, reads, reason: inputOf(body, INPUT.reason)?.value ?? '' });
}

const inputOf = (body: Submitted, id: string) => body.view.state.values[id]?.[id];
