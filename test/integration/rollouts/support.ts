import { askAction } from '../../../src/actions/ask.ts';
import { beginAction } from '../../../src/actions/begin.ts';
import { completeAction } from '../../../src/actions/complete.ts';
import { answerAction } from '../../../src/approvals/answer.ts';
import { recordOutcomes } from '../../../src/outcomes/record.ts';
import type { ActionRow } from '../../../src/records/action.ts';
import { rolloutFacts } from '../../../src/rollouts/facts.ts';
import { enterStep, lockBaseline } from '../../../src/rollouts/moves.ts';
import { rolloutStatus } from '../../../src/rollouts/status.ts';
import {
  agentActor,
  approverActor,
  askInput,
  givenAdopted,
  givenRelease,
  managerActor,
} from '../../support/fixtures.ts';
import { writtenLog } from '../../support/log.ts';
import type { TestServices } from '../../support/services.ts';
import { startRollout } from '../../support/start.ts';

const AGENT = `agent: desk
people: { olga: {}, ana: {}, ben: {}, cleo: {} }
owners: [olga]
onCall: [cleo]
approvers: { desk: [ana, ben] }
attributes: { tier: string }
segments:
  - { name: gold, when: 'context.tier == "gold"' }
  - { name: silver, when: 'context.tier == "silver"' }
metrics:
METRICS
tools:
  cancel: { kind: write, reversibility: compensable, undo: book again, scopes: [c], args: { type: object, properties: { id: { type: string } } } }
  pay: { kind: write, args: { type: object, properties: { id: { type: string } } } }
`;
const WRONG = `  wrong: { unit: conversation, business: workload, tool: cancel, decidedBy: policy, corrections: true }
`;
const RELEASE = (version: number, grants: string) => `agent: desk
release: ${version}
grants: ${grants}
rollout:
  signedOffBy: olga
  newSubjectsPerHour: PER_HOUR
  guardrails: [GUARDRAILS]
  pairs: PAIRSWATCH_FOR
  constrained: [{ days: 30, exposure: { '*': EXPOSURE }, WRITES, gate: { sample: 5 } }]
  scale: [{ days: 30, exposure: { '*': 100 } }]
`;

const GUARDRAIL = '{ metric: wrong, limit: LIMIT, reason: twice what the desk gets wrongPER_DAY }';

/** Other metrics and grants than one of each; `grants` is given what cancelling needs. */
export interface Exposed {
  metrics?: string;
  grants?: (approval: string) => string;
  newSubjectsPerHour?: number;
  /** Of the guardrail; a twentieth where nothing is said. */
  limit?: string;
  /** What the guardrail says of harms a day. */
  perDay?: string;
  /** Metrics that are judged together. */
  pairs?: string;
  /** Of every segment, in percent. */
  exposure?: number;
  /** Others than the one on `wrong`. */
  guardrails?: string;
  /** What the constrained step holds the candidate to; by default it writes as it is granted. */
  bounds?: string;
  /** How long it is watched after it completed. */
  watchFor?: string;
  /** What happens before anybody is exposed. */
  baseline?: (services: TestServices) => Promise<unknown>;
}

/** A rollout in its first exposed step: everybody is in the candidate. */
export async function givenExposed(
  services: TestServices,
  {
    newSubjectsPerHour = 100_000,
    metrics = WRONG,
    limit = '0.05',
    perDay,
    exposure = 100,
    pairs = '[]',
    guardrails = GUARDRAIL,
    bounds = 'writes: as-granted',
    watchFor,
    baseline = async () => {},
    grants = (approval) => `[{ tool: cancel, approval: ${approval} }]`,
  }: Exposed = {},
): Promise<string> {
  const release = (version: number, approval: string) =>
    RELEASE(version, grants(approval))
      .replace('PER_HOUR', String(newSubjectsPerHour))
      .replace('EXPOSURE', String(exposure))
      .replace('WRITES', bounds)
      .replace('PAIRS', pairs)
      .replace('WATCH_FOR', watchFor === undefined ? '' : `\n  watchFor: ${watchFor}`)
      .replace('GUARDRAILS', guardrails)
      .replace('LIMIT', limit)
      .replace('PER_DAY', perDay === undefined ? '' : `, perDay: ${perDay}`);
  const { agent } = await givenAdopted(services, {
    agentYaml: AGENT.replace('METRICS\n', metrics),
    releaseYaml: release(1, 'desk'),
  });
  await givenRelease(services, agent, release(2, 'none'));
  const { id } = await startRollout(services, managerActor(), { agent: 'desk', release: '2', reason: 'try' });
  await baseline(services);
  const planned = async () => ({ id, ...(await rolloutFacts(services, id)) });
  await lockBaseline(services, await planned());
  await enterStep(services, await planned(), 1);
  return id;
}

/** One conversation with an automatic cancellation, executed. */
export async function givenCancelled(
  services: TestServices,
  subject: string,
  tier = 'gold',
  key = subject,
  ok = true,
): Promise<ActionRow> {
  const actor = agentActor({ attributes: { tier } });
  const { action } = await askAction(
    services,
    actor,
    askInput({ subject, idempotencyKey: key, args: { id: key } }),
  );
  await beginAction(services, actor, { id: action.id, executionId: key });
  return completeAction(services, actor, { id: action.id, executionId: key, ok });
}

export const report = (services: TestServices, action: ActionRow, value: number, id = action.id) =>
  recordOutcomes(services, agentActor(), {
    agent: 'desk',
    outcomes: [{ id, action: action.id, metric: 'wrong', value }],
  });

/** Reports an outcome; of a ratio with what it is set against. */
export const tell = (
  services: TestServices,
  action: ActionRow,
  metric: string,
  value: number,
  { id, per }: { id?: string; per?: number } = {},
) =>
  recordOutcomes(services, agentActor(), {
    agent: 'desk',
    outcomes: [{ id: `${action.id}-${metric}-${id ?? value}`, action: action.id, metric, value, per }],
  });

/** The segment gold, and its verdict of a metric. */
export async function goldOf(services: TestServices, id: string, metric: string) {
  const { segments } = await rolloutStatus(services, id);
  const gold = segments.find(({ segment }) => segment === 'gold');
  return { state: gold?.state, ...gold?.verdicts.find((one) => one.metric === metric) };
}

/** log E of the restarts by its definition: every value is known, and nothing is shared with what is tested. */
export function restarted(days: readonly (readonly number[])[], limit: number): number {
  let mean = 0;
  for (let j = 0; j < 16; j++) {
    const bet = 0.95 * 10 ** (-2 + (2 * j) / 15);
    let s = 0;
    for (const [t, values] of days.entries()) {
      const factor = values.reduce((product, x) => product * (1 + bet * (x / limit - 1)), 1);
      s = factor * (s + 1 / ((t + 1) * (t + 2)));
    }
    mean += s / 16;
  }
  return Math.log(mean + 1 / (days.length + 1));
}

/** A write that began, in whichever arm chance put its subject; a person lets it through where one is asked. */
export async function givenBegun(services: TestServices, subject: string): Promise<ActionRow> {
  const actor = agentActor({ attributes: { tier: 'gold' } });
  const key = `${subject}-${services.clock.now().getTime()}-${Math.random()}`;
  const { action } = await askAction(
    services,
    actor,
    askInput({ subject, idempotencyKey: key, args: { id: key } }),
  );
  if (action.state === 'pending')
    await answerAction(services, approverActor(), { id: action.id, verdict: 'approve', reason: 'as asked' });
  await beginAction(services, actor, { id: action.id, executionId: key });
  return completeAction(services, actor, { id: action.id, executionId: key, ok: true });
}

/** What the log has of the breach of a metric. */
export async function loggedBreach(services: TestServices, metric: string) {
  const rows = await writtenLog(services.db.sql)
    .select('body')
    .where('kind', '=', 'rollout.verdict')
    .execute();
  const entries = rows.map(({ body }) => JSON.parse(body).data);
  return entries.find((one) => one.metric === metric && one.verdict === 'breach');
}
