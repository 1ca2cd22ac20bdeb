import type { App, ViewSubmitAction } from '@slack/bolt';
import { correctAction } from '../../actions/correct.ts';
import type { Actor } from '../../actor.ts';
import { explainDenial } from '../../approvals/explain.ts';
import { type PlaceMeta, VALUE } from '../../cards/blocks/buttons.ts';
import { AppError } from '../../errors.ts';
import { actionById } from '../../records/action.ts';
import { listDisabled } from '../../switches/list.ts';
import { actorFor, actorsFor } from '../identity.ts';
import { INPUT, MODAL, noticeView } from '../modals.ts';
import { scopeChoices, scopeKey } from '../scopes.ts';
import { denyElsewhere } from './answering.ts';
import { register as registerBatch } from './batch.ts';
import { disableElsewhere, runSwitch } from './commands.ts';
import { copyIn, type ListenerDeps, personOf, refreshClicked } from './deps.ts';
import { register as registerEdit } from './edit.ts';
import { answerForm, inputOf, type Submission, textOf } from './forms.ts';
import { register as registerMore } from './more.ts';
import { register as registerStanding } from './standing-approvals.ts';

interface Reasoned {
  title: string;
  /** It belongs to a denial, and goes by who the account was last if Slack is silent. */
  denies: boolean;
  verb: (actor: Actor, input: { id: string; reason: string }) => Promise<unknown>;
}

/** What is submitted in modals, and the menu that opens most of them. */
export function register(app: App, deps: ListenerDeps): void {
  const { services } = deps;
  app.view<ViewSubmitAction>(MODAL.denyReason, ({ ack, body }) =>
    withReason(
      deps,
      { ack, body },
      {
        title: 'Why not?',
        denies: true,
        verb: (actor, input) => explainDenial(services, actor, input),
      },
    ),
  );
  app.view<ViewSubmitAction>(MODAL.report, ({ ack, body }) =>
    withReason(
      deps,
      { ack, body },
      {
        title: 'Report a wrong write',
        denies: false,
        verb: (actor, input) => correctAction(services, actor, input),
      },
    ),
  );
  for (const verb of ['disable', 'enable'] as const) {
    const title = verb === 'disable' ? 'Emergency disable' : 'Enable again';
    app.view<ViewSubmitAction>(MODAL[verb], async ({ ack, body }) => {
      const work = () => switchBy(deps, verb, body);
      await answerForm(deps, { ack, body }, title, work, (text) => noticeView(title, text));
    });
  }
  registerMore(app, deps);
  registerEdit(app, deps);
  registerStanding(app, deps);
  registerBatch(app, deps);
}

/** Adds a person's reason to an action, and shows it on the copy the modal was opened from. */
async function withReason(
  deps: ListenerDeps,
  submission: Submission,
  { title, denies, verb }: Reasoned,
): Promise<void> {
  const { services, directory } = deps;
  const { body } = submission;
  const work = async (): Promise<PlaceMeta> => {
    const place = VALUE.place.parse(body.view.private_metadata);
    const reason = textOf(body, INPUT.reason);
    if (!reason) throw new AppError('invalid_input', 'No reason was written');
    const { agent } = await actionById(services.db.sql, place.id);
    const stop = denies ? denyElsewhere(services, place.id) : undefined;
    const actor = await actorFor(services, directory, personOf(body), agent, stop);
    await verb(actor, { id: place.id, reason });
    return place;
  };
  const done = await answerForm(deps, submission, title, work, () => undefined, INPUT.reason);
  if (done) await refreshClicked(deps, done.id, copyIn(done));
}

async function switchBy(
  deps: ListenerDeps,
  verb: 'disable' | 'enable',
  body: ViewSubmitAction,
): Promise<string> {
  const { services, directory } = deps;
  const who = personOf(body);
  const key = inputOf(body, INPUT.scope)?.selected_option?.value;
  const known =
    verb === 'disable'
      ? scopeChoices(
          (await actorsFor(services, directory, who, disableElsewhere(services, 'everything'))).map(
            (each) => each.agent,
          ),
        ).map(({ scope }) => scope)
      : (await listDisabled(services.db.sql)).map(({ scope }) => scope);
  const scope = known.find((each) => scopeKey(each) === key);
  if (scope === undefined)
    throw new AppError('invalid_input', 'What was chosen is not there any more: choose again');
  const reads = inputOf(body, INPUT.reads)?.selected_options?.some(({ value }) => value === 'reads') ?? false;
  return runSwitch(deps, who, { do: verb, scope, reads, reason: inputOf(body, INPUT.reason)?.value ?? '' });
}
