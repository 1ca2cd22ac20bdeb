import type { Sql } from '../db/database.ts';
import { type Agent, onCallOf } from '../domain/agent.ts';
import { scopeOf } from '../domain/review/agent-scope.ts';
import type { NextLine, RiskLine } from '../domain/review/weekly.ts';
import { type RolloutRecord, stepOf } from '../records/rollout.ts';

const LISTED_MAX = 50;

/** What stands against the agent and nobody has settled: switched off, tools with a key of their own, waivers. */
export async function risksOf(db: Sql, agent: Agent): Promise<RiskLine[]> {
  const off = await db
    .selectFrom('switch')
    .select(['scope', 'reason'])
    .where('disabled', '=', true)
    .orderBy('scope')
    .limit(LISTED_MAX)
    .execute();
  const waived = await db
    .selectFrom('follow_up')
    .select(['sentence', 'waiver'])
    .where('agent', '=', agent.agent)
    .where('state', 'in', ['committed', 'claimed'])
    .where('waiver', 'is not', null)
    .orderBy('due_at')
    .limit(LISTED_MAX)
    .execute();
  const advisory = Object.entries(agent.tools).flatMap(([name, tool]) => (tool.advisory ? [name] : []));
  return [
    ...off
      .filter(({ scope }) => scopeOf(scope, agent.agent))
      .map(({ scope, reason }) => ({
        agent: agent.agent,
        what: `switched off: ${scope}: ${reason}`,
        expires: null,
      })),
    ...waived.map(({ sentence, waiver }) => ({
      agent: agent.agent,
      what: `waived by ${waiver?.person}: ${sentence}`,
      expires: waiver?.until ?? null,
    })),
    ...(advisory.length > 0
      ? [{ agent: agent.agent, what: `advisory only: ${advisory.join(', ')}`, expires: null }]
      : []),
  ];
}

/** What the plans of the open rollouts say of the next days. */
export const nextOf = (agent: Agent, rollouts: readonly RolloutRecord[]): NextLine[] =>
  rollouts
    .filter(({ ended_at }) => ended_at === null)
    .map((rollout) => {
      const step = stepOf(rollout);
      const signs =
        rollout.status === 'paused'
          ? `paused: ${rollout.paused_because ?? ''}`
          : `gate by ${agent.owners.join(', ')}`;
      return {
        agent: agent.agent,
        what: `release ${rollout.release}: step ${step.index + 1} (${step.phase}) to day ${step.toDay}; ${signs}; on call ${onCallOf(agent).join(', ')}`,
      };
    });
