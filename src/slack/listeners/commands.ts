import type { App, RespondFn, SlashCommand } from '@slack/bolt';
import { manifestOf } from '../../approvals/standing.ts';
import { AppError } from '../../errors.ts';
import { runRolloutVerb } from '../../rollouts/verbs.ts';
import { agentOfScope, disable } from '../../switches/disable.ts';
import { enable } from '../../switches/enable.ts';
import { listDisabled } from '../../switches/list.ts';
import { disableText, enableText, openRollout, segmentAndReason, statusText } from '../answers.ts';
import { type Command, HELP, parseCommand } from '../command-line.ts';
import {
  actorFor,
  actorForEverything,
  actorsFor,
  type SlackDirectory,
  type SlackPerson,
} from '../identity.ts';
import { disableView, enableView, loadingView, noticeView } from '../modals.ts';
import { inline } from '../mrkdwn.ts';
import { scopeChoices, scopeKey, scopeLabel } from '../scopes.ts';
import { wordsFor } from '../words.ts';
import { type ListenerDeps, tell } from './deps.ts';

type Scoped = Extract<Command, { do: 'disable' | 'enable' }>;
type Steering = Extract<Command, { do: 'rollback' | 'pause' | 'resume' }>;

/** `/portcullis`. */
export function register(app: App, deps: ListenerDeps): void {
  app.command('/portcullis', async ({ ack, command, respond }) => {
    await ack();
    const parsed = parseCommand(command.text);
    const who = { userId: command.user_id, teamId: command.team_id };
    switch (parsed.do) {
      case 'help':
        return void (await tell(respond, HELP));
      case 'status':
        return void (await tell(respond, await status(deps, who, parsed.agent)));
      case 'disable':
      case 'enable':
        if (parsed.scope === undefined || parsed.reason === '') return choose(deps, command, who, parsed);
        return void (await tell(respond, await runSwitch(deps, who, { ...parsed, scope: parsed.scope })));
      default:
        return steer(deps, who, parsed, respond);
    }
  });
}

async function status(
  { services, directory }: ListenerDeps,
  who: SlackPerson,
  agent?: string,
): Promise<string> {
  if (agent !== undefined) {
    await actorFor(services, directory, who, agent);
    return statusText(services, [await manifestOf(services.db.sql, agent)]);
  }
  const found = await actorsFor(services, directory, who);
  return statusText(
    services,
    found.map((each) => each.agent),
  );
}

/** Who acts on a scope: the person of its agent, or of any where it covers all. */
export async function actorOfScope(
  services: ListenerDeps['services'],
  directory: SlackDirectory,
  who: SlackPerson,
  scope: string,
) {
  const agent = agentOfScope(scope);
  return agent === undefined
    ? actorForEverything(await actorsFor(services, directory, who))
    : actorFor(services, directory, who, agent);
}

/** Throws the switch and says what that means now. */
export async function runSwitch(
  { services, directory }: Pick<ListenerDeps, 'services' | 'directory'>,
  who: SlackPerson,
  {
    do: verb,
    scope,
    reason,
    reads,
  }: { do: 'disable' | 'enable'; scope: string; reason: string; reads?: boolean },
): Promise<string> {
  const actor = await actorOfScope(services, directory, who, scope);
  return verb === 'disable'
    ? disableText(await disable(services, actor, { scope, reason, reads }))
    : enableText(scope, await enable(services, actor, { scope, reason }));
}

/** Opens the chooser at once, because the trigger lives three seconds, and fills it when the choices are read. */
async function choose(
  deps: ListenerDeps,
  command: SlashCommand,
  who: SlackPerson,
  { do: verb, scope: chosen }: Scoped,
) {
  const { services, client, directory } = deps;
  const title = verb === 'disable' ? 'Emergency disable' : 'Enable again';
  const opened = await client.views.open({ trigger_id: command.trigger_id, view: loadingView(title) });
  const view_id = opened.view?.id;
  if (!view_id) return;
  try {
    const agents = (await actorsFor(services, directory, who)).map((each) => each.agent);
    const options = { channel: command.channel_id, keyOf: scopeKey, ...(chosen ? { chosen } : {}) };
    if (verb === 'disable') {
      await client.views.update({
        view_id,
        view: disableView({ ...options, choices: scopeChoices(agents) }),
      });
      return;
    }
    const off = await listDisabled(services.db.sql);
    const choices = off.map(({ scope }) => ({ scope, label: scopeLabel(scope) }));
    const view =
      choices.length > 0
        ? enableView({ ...options, choices })
        : noticeView(title, 'Nothing is switched off.');
    await client.views.update({ view_id, view });
  } catch (error) {
    await client.views.update({ view_id, view: noticeView(title, wordsFor(error)) });
    if (!(error instanceof AppError)) throw error;
  }
}

async function steer(
  { services, directory }: ListenerDeps,
  who: SlackPerson,
  command: Steering,
  respond: RespondFn,
): Promise<void> {
  const { do: verb, agent, words } = command;
  const actor = await actorFor(services, directory, who, agent);
  const manifest = await manifestOf(services.db.sql, agent);
  const { segment, reason } =
    verb === 'rollback'
      ? segmentAndReason(manifest, words)
      : { segment: undefined, ...segmentAndReason({ ...manifest, segments: [] }, words) };
  const id = await openRollout(services, agent);
  if (id === undefined) throw new AppError('not_found', `Agent "${agent}" has no rollout to ${verb}`);
  const { detail } = await runRolloutVerb(services, actor, { id, verb, segment, reason });
  await tell(respond, `*${verb}* of rollout ${inline(id, 100)}: ${inline(detail, 1_000)}`);
}
