import {
  createDeputy,
  type DeputyRow,
  deputyState,
  listDeputies,
  revokeDeputy,
} from '../../approvals/deputies.ts';
import { dateText, inline } from '../../cards/blocks/mrkdwn.ts';
import type { Agent } from '../../domain/agent.ts';
import { durationMs } from '../../domain/duration.ts';
import { personNamed } from '../../domain/naming.ts';
import { suggest } from '../../domain/nearest.ts';
import { sentence } from '../../domain/problem.ts';
import { AppError } from '../../errors.ts';
import { manifestOf } from '../../records/manifest.ts';
import type { Command } from '../command-line.ts';
import { actorFor, actorsFor, type SlackPerson } from '../identity.ts';
import type { ListenerDeps } from './deps.ts';

type Deputed = Extract<Command, { do: 'deputies' | 'deputy' | 'deputy-end' }>;

const REASON_MAX = 200;
const say = (name: string): string => inline(name, 63);

/** Names, ends and lists who answers for whom. Returns what became of it. @throws AppError */
export async function runDeputy(deps: ListenerDeps, who: SlackPerson, command: Deputed): Promise<string> {
  switch (command.do) {
    case 'deputies':
      return listText(deps, who);
    case 'deputy':
      return name(deps, who, command);
    case 'deputy-end':
      return end(deps, who, command.id);
  }
}

async function name(
  { services, directory }: ListenerDeps,
  who: SlackPerson,
  { agent, to, time, group, reason }: Extract<Deputed, { do: 'deputy' }>,
): Promise<string> {
  const actor = await actorFor(services, directory, who, agent);
  const endsAt = new Date(services.clock.now().getTime() + durationMs(time, services.dayMs));
  const row = await createDeputy(services, actor, {
    agent,
    to: personIn(await manifestOf(services.db.sql, agent), to),
    endsAt,
    reason,
    ...(group === undefined ? {} : { group }),
  });
  return `*Named:* ${lineOf(row, 'running')}. \`/portcullis deputy end ${row.id}\` ends it.`;
}

/** `ben`, `@ben`, `<@U0BEN|ben>` or an e-mail address. @throws AppError `invalid_input` */
function personIn(agent: Agent, word: string): string {
  const person = personNamed(agent, word);
  if (person !== undefined) return person;
  const hint = suggest(word.replace(/^@/, ''), Object.keys(agent.people));
  throw new AppError('invalid_input', `"${word}" is no one person of agent "${agent.agent}"`, {
    hint: sentence(hint),
  });
}

/** The id is enough for a person: theirs are few. */
async function end({ services, directory }: ListenerDeps, who: SlackPerson, id: string): Promise<string> {
  const stop = { page: services.publicUrl, cli: `portcullis deputy remove AGENT ${id}` };
  for (const { agent, actor } of await actorsFor(services, directory, who, stop)) {
    const rows = await listDeputies(services, { agent: agent.agent, ended: true });
    if (!rows.some((row) => row.id === id)) continue;
    const row = await revokeDeputy(services, actor, { agent: agent.agent, id });
    return `*Ended:* ${say(row.to_person)} does not answer for ${say(row.from_person)} any more.`;
  }
  throw new AppError('not_found', `No agent of yours has a deputy "${id}"`);
}

async function listText({ services, directory }: ListenerDeps, who: SlackPerson): Promise<string> {
  const agents = (await actorsFor(services, directory, who)).map(({ agent }) => agent);
  const lines = (await Promise.all(agents.map((agent) => linesOf(services, agent)))).flat();
  return lines.length > 0 ? lines.join('\n') : 'Nobody answers for anybody else.';
}

async function linesOf(services: ListenerDeps['services'], { agent }: Agent): Promise<string[]> {
  const rows = await listDeputies(services, { agent, ended: false });
  const now = services.clock.now();
  return rows.map((row) => `• ${lineOf(row, deputyState(row, now))} \`${row.id}\``);
}

function lineOf(
  { agent, from_person, to_person, grp, starts_at, ends_at, reason }: DeputyRow,
  state: string,
): string {
  const where = grp === null ? '' : ` in group ${say(grp)}`;
  const from = state === 'coming' ? ` from ${dateText(starts_at)}` : '';
  return `${say(to_person)} answers for ${say(from_person)}${where} of ${say(agent)}${from} until ${dateText(ends_at)}: ${inline(reason, REASON_MAX)}`;
}
