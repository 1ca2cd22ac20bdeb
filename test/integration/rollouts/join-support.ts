import { askAction } from '../../../src/actions/ask.ts';
import { applyAgent } from '../../../src/agents/apply.ts';
import type { Agent, Segment } from '../../../src/domain/agent.ts';
import { manifestOf } from '../../../src/records/manifest.ts';
import { rolloutFacts } from '../../../src/rollouts/facts.ts';
import { enterStep } from '../../../src/rollouts/moves.ts';
import { rolloutStatus } from '../../../src/rollouts/status.ts';
import { agentActor, askInput, managerActor } from '../../support/fixtures.ts';
import { writtenLog } from '../../support/log.ts';
import type { TestServices } from '../../support/services.ts';
import { givenCancelled, report } from './support.ts';

export const tier = (name: string): Segment => ({
  ...{ name, when: `context.tier == "${name}"`, representative: true },
});

export const manifest = (services: TestServices): Promise<Agent> => manifestOf(services.db.sql, 'desk');
export const apply = async (services: TestServices, change: (agent: Agent) => Partial<Agent>) => {
  const agent = await manifest(services);
  return applyAgent(services, managerActor(), { ...agent, ...change(agent) });
};
export const add = (services: TestServices, ...names: string[]) =>
  apply(services, ({ segments }) => ({ segments: [...segments, ...names.map(tier)] }));

export const enter = async (services: TestServices, id: string, index: number) =>
  enterStep(services, { id, ...(await rolloutFacts(services, id)) }, index);

export const segmentOf = async (services: TestServices, id: string, name: string) => {
  const { segments } = await rolloutStatus(services, id);
  return segments.find(({ segment }) => segment === name);
};

export async function logged(services: TestServices, kind: string) {
  const rows = await writtenLog(services.db.sql).select('body').where('kind', '=', kind).execute();
  return rows.map(({ body }) => JSON.parse(body).data);
}

/** So many conversations of one tier, and what is reported of each. */
export async function givenTold(
  services: TestServices,
  segment: string,
  count: number,
  value: number,
  key = '',
) {
  for (let n = 0; n < count; n++)
    await report(services, await givenCancelled(services, `${segment}${key}-${n}`, segment), value);
}

export async function ask(services: TestServices, segment: string, key: string) {
  const input = askInput({ subject: key, idempotencyKey: key, args: { id: key } });
  return (await askAction(services, agentActor({ attributes: { tier: segment } }), input)).action;
}
