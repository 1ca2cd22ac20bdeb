import type { App, RespondFn, SlashCommand } from '@slack/bolt';
import { inline } from '../../cards/blocks/mrkdwn.ts';
import { scopeWords } from '../../domain/scope.ts';
import { saysSomething } from '../../domain/unseen.ts';
import { AppError } from '../../errors.ts';
import { manifestOf } from '../../records/manifest.ts';
import { revocableRollouts, rolloutNamed } from '../../records/rollout.ts';
import { runRolloutVerb } from '../../rollouts/verbs.ts';
import type { Services } from '../../services.ts';
import { agentOfScope, disable } from '../../switches/disable.ts';
import { enable } from '../../switches/enable.ts';
import { listDisabled } from '../../switches/list.ts';
import { type Command, HELP, parseCommand, unknownText } from '../command-line.ts';
import {
  actorFor,
  actorForEverything,
  actorsFor,
  type Elsewhere,
  type SlackDirectory,
  type SlackPerson,
} from '../identity.ts';
import { disableView, enableView, noticeView } from '../modals.ts';
import { queueText } from '../queue-text.ts';
import { disableText, enableText, othersText, segmentAndReason, statusText } from '../replies.ts';
import { scopeChoices, scopeKey } from '../scopes.ts';
import { type ListenerDeps, tell } from './deps.ts';
import { runDeputy } from './deputies.ts';
import { openForm } from './forms.ts';

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
      case 'unknown':
        return void (await tell(
          respond,
          `*Nothing was done.* ${inline(unknownText(parsed.word), 300)}\n${HELP}`,
        ));
      case 'status':
        return void (await tell(respond, await status(deps, who, parsed.agent)));
      case 'approvals':
        return void (await tell(respond, await queue(deps, who)));
      case 'deputies':
      case 'deputy':
      case 'deputy-end':
        return void (await tell(respond, await runDeputy(deps, who, parsed)));
      case 'disable':
      case 'enable':
        if (parsed.scope === undefined || !saysSomething(parsed.reason))
          return choose(deps, command, who, parsed);
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

async function queue({ services, directory }: ListenerDeps, who: SlackPerson): Promise<string> {
  const found = await actorsFor(services, directory, who);
  return queueText(
    services,
    found.map(({ actor }) => actor),
  );
}

/** Who acts on a scope: the person of its agent, or of any where it covers all. */
export async function actorOfScope(
  services: ListenerDeps['services'],
  directory: SlackDirectory,
  who: SlackPerson,
  scope: string,
  stop?: Elsewhere,
) {
  const agent = agentOfScope(scope);
  return agent === undefined
    ? actorForEverything(await actorsFor(services, directory, who, stop))
    : actorFor(services, directory, who, agent, stop);
}

/** Where a scope can be switched off without Slack. */
export const disableElsewhere = ({ publicUrl }: Pick<Services, 'publicUrl'>, scope: string): Elsewhere => ({
  page: publicUrl,
  cli: `portcullis disable ${scope} --reason "..."`,
});

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
  const stop = verb === 'disable' ? disableElsewhere(services, scope) : undefined;
  const actor = await actorOfScope(services, directory, who, scope, stop);
  return verb === 'disable'
    ? disableText(await disable(services, actor, { scope, reason, reads }))
    : enableText(scope, await enable(services, actor, { scope, reason }));
}

/** The chooser of what to switch off or on. */
async function choose(
  deps: ListenerDeps,
  command: SlashCommand,
  who: SlackPerson,
  { do: verb, scope: chosen }: Scoped,
): Promise<void> {
  const { services, directory } = deps;
  const title = verb === 'disable' ? 'Emergency disable' : 'Enable again';
  await openForm(deps, command.trigger_id, title, async () => {
    const stop = verb === 'disable' ? disableElsewhere(services, chosen ?? 'everything') : undefined;
    const agents = (await actorsFor(services, directory, who, stop)).map((each) => each.agent);
    const options = { channel: command.channel_id, keyOf: scopeKey, ...(chosen ? { chosen } : {}) };
    if (verb === 'disable') return disableView({ ...options, choices: scopeChoices(agents) });
    const off = await listDisabled(services.db.sql);
    const choices = off.map(({ scope }) => ({ scope, label: scopeWords(scope) }));
    return choices.length > 0
      ? enableView({ ...options, choices })
      : noticeView(title, 'Nothing is switched off.');
  });
}

/** Where a rollout can be held or rolled back without Slack. */
export const steerElsewhere = (
  { publicUrl }: Pick<Services, 'publicUrl'>,
  verb: string,
  agent: string,
): Elsewhere => ({ page: publicUrl, cli: `portcullis rollout ${verb} ${agent} --reason "..."` });

async function steer(
  { services, directory }: ListenerDeps,
  who: SlackPerson,
  command: Steering,
  respond: RespondFn,
): Promise<void> {
  const { do: verb, which, words } = command;
  const named = await rolloutNamed(services.db.sql, which);
  const agent = named?.agent ?? which;
  const stop = verb === 'resume' ? undefined : steerElsewhere(services, verb, agent);
  const actor = await actorFor(services, directory, who, agent, stop);
  const manifest = await manifestOf(services.db.sql, agent);
  const { segment, reason } =
    verb === 'rollback'
      ? segmentAndReason(manifest, words)
      : { segment: undefined, ...segmentAndReason({ ...manifest, segments: [] }, words) };
  const [first, ...others] = await revocableRollouts(services.db.sql, agent);
  const rollout = named ?? first;
  if (!rollout) throw new AppError('not_found', `Agent "${agent}" has no rollout to ${verb}`);
  const { id } = rollout;
  const { changed, detail } = await runRolloutVerb(services, actor, { id, verb, segment, reason });
  const lines = [`*${verb}* of rollout ${inline(id, 100)}: ${inline(detail, 1_000)}`];
  if (verb === 'rollback' && !changed && !named && others.length > 0) lines.push(othersText(others));
  await tell(respond, lines.join('\n'));
}
