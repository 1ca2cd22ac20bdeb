import { dateText, inline } from '../cards/blocks/mrkdwn.ts';
import { type Agent, segmentNames } from '../domain/agent.ts';
import { changeText } from '../domain/rollout/join.ts';
import { concernsAny, scopeWords } from '../domain/scope.ts';
import { agentsWordText } from '../domain/subject.ts';
import { saysSomething } from '../domain/unseen.ts';
import { AppError } from '../errors.ts';
import { type RolloutRecord, revocableRollouts } from '../records/rollout.ts';
import type { DisableAnswer } from '../records/stop.ts';
import { type RolloutStatusView, rolloutStatus } from '../rollouts/status.ts';
import type { Services } from '../services.ts';
import type { EnableAnswer } from '../switches/enable.ts';
import { listDisabled } from '../switches/list.ts';
import { laterText } from './stops-text.ts';

const LISTED_MAX = 10;
const say = (text: string): string => inline(text, 400);

/** What `disable` did, in the words of its promise. */
export function disableText({
  state,
  scope,
  offAtMs,
  voided,
  inFlight,
  heldBy,
  credentialsUntil,
  failoverSafe,
}: DisableAnswer): string {
  const head =
    state === 'closed'
      ? `*Closed: ${say(scopeWords(scope))}.* No write covered by it begins (took ${Math.round(offAtMs)} ms).`
      : `*Closing: ${say(scopeWords(scope))}.* No write begins but those named here; the service goes on closing.`;
  const lines = [
    head,
    voided === undefined
      ? 'What waited or was approved is being ended.'
      : `${voided} that waited or were approved are void.`,
    ...(inFlight.length > 0 ? ['*Had begun and may still land:*'] : []),
    ...inFlight.slice(0, LISTED_MAX).map(({ summary, agent }) => `• ${say(summary)} (${say(agent)})`),
    ...(inFlight.length > LISTED_MAX ? [`and ${inFlight.length - LISTED_MAX} more`] : []),
    ...(heldBy.length > 0
      ? [`Held by ${heldBy.map(({ what, pid }) => `${say(what)} (backend ${pid})`).join(', ')}.`]
      : []),
    ...(credentialsUntil
      ? [`Credentials given out live until ${dateText(new Date(credentialsUntil))} at most.`]
      : []),
    ...(failoverSafe ? [] : ['Not failover-safe: no synchronous standby is known.']),
  ];
  return lines.join('\n');
}

export function enableText(scope: string, { status, askedBy }: EnableAnswer): string {
  if (status === 'enabled') return `*Enabled:* ${say(scopeWords(scope))}. What was void stays void.`;
  if (status === 'already_enabled') return `${say(scopeWords(scope))} is not switched off; nothing changed.`;
  return `*Not enabled yet:* everything takes two people. ${say(askedBy ?? 'You')} asked; another person enables it now.`;
}

/** What is in force, waiting and switched off, of each of these agents. */
export async function statusText(services: Services, agents: readonly Agent[]): Promise<string> {
  const off = await listDisabled(services.db.sql);
  const names = new Set(agents.map(({ agent }) => agent));
  const covered = off.filter(({ scope }) => concernsAny(scope, names));
  const lines = covered.map(
    ({ scope, actor, changed_at, reason, later }) =>
      `*OFF: ${say(scopeWords(scope))}* since ${dateText(changed_at)} by ${say(actor)}: ${say(reason)}${laterText(later)}`,
  );
  if (lines.length === 0) lines.push('Nothing is switched off.');
  for (const agent of agents.slice(0, LISTED_MAX)) lines.push('', ...(await agentLines(services, agent)));
  if (agents.length > LISTED_MAX) lines.push('', `and ${agents.length - LISTED_MAX} more agents: name one`);
  return lines.join('\n');
}

async function agentLines(services: Services, agent: Agent): Promise<string[]> {
  const { sql } = services.db;
  const counts = await sql
    .selectFrom('open_action')
    .select((select) => ['state', select.fn.countAll<number>().as('count')])
    .where('agent', '=', agent.agent)
    .where('kind', '=', 'write')
    .groupBy('state')
    .unionAll((from) =>
      from
        .selectFrom('action')
        .select((select) => ['state', select.fn.countAll<number>().as('count')])
        .where('agent', '=', agent.agent)
        .where('state', '=', 'unknown')
        .groupBy('state'),
    )
    .execute();
  const inForce = await sql
    .selectFrom('in_force')
    .selectAll()
    .where('agent', '=', agent.agent)
    .orderBy('segment')
    .execute();
  const [rollout, ...others] = await revocableRollouts(sql, agent.agent);
  return [
    `*Agent ${say(agent.agent)}*${agent.testMode ? ' (TEST MODE)' : ''}`,
    `In force: ${inForce.map(({ segment, release }) => `${say(segment)} on release ${say(release)}`).join(', ') || 'nothing'}`,
    `Writes: ${counts.map(({ state, count }) => `${count} ${state}`).join(', ') || 'none open'}`,
    ...(rollout ? rolloutLines(await rolloutStatus(services, rollout.id)) : ['No rollout is open']),
    ...(others.length > 0 ? [othersText(others)] : []),
  ];
}

/** Where naming the agent alone means another rollout. */
export const othersText = (others: readonly RolloutRecord[]): string =>
  `Can be rolled back by its id: ${others.map(({ id, release }) => `${say(id)} (release ${say(release)})`).join(', ')}`;

function rolloutLines({
  id,
  release,
  status,
  phase,
  step,
  steps,
  plan,
  segments,
  waitsFor,
  watchOver,
  subjects: { agentsWord },
}: RolloutStatusView): string[] {
  const shown = segments.map(
    ({ segment, state, exposurePercent, asks, changed }) =>
      `${say(segment)} ${exposurePercent} % (${state}${asks ? ', each write asks' : ''}${changed ? `, ${changeText(changed)}` : ''})`,
  );
  return [
    `Rollout ${say(id)} of release ${say(release)}: ${status}, ${phase}, step ${step} of ${steps}, ${plan}${watchOver ? ', watched no more' : ''}`,
    `Exposure: ${shown.join(', ') || 'none'}`,
    ...(agentsWord.length > 0 ? [say(agentsWordText(agentsWord))] : []),
    `Waits for: ${waitsFor.map(({ detail }) => say(detail)).join('; ') || 'nothing'}`,
  ];
}

/** The segment, if the first word names one, and the reason. @throws AppError `invalid_input` without a reason */
export function segmentAndReason(
  agent: Agent,
  words: readonly string[],
): { segment?: string; reason: string } {
  const [first, ...rest] = words;
  const named = first !== undefined && segmentNames(agent).includes(first);
  const reason = (named ? rest : words).join(' ');
  if (!saysSomething(reason))
    throw new AppError('invalid_input', 'A reason is needed: write it behind the name');
  return named ? { segment: first, reason } : { reason };
}
