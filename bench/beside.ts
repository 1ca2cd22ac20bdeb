import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { askAction } from '../src/actions/ask.ts';
import { beginAction } from '../src/actions/begin.ts';
import { answerAction } from '../src/approvals/answer.ts';
import { adoptRelease } from '../src/releases/adopt.ts';
import { rollBack } from '../src/rollouts/roll-back.ts';
import { disable } from '../src/switches/disable.ts';
import { enable } from '../src/switches/enable.ts';
import {
  AGENT_YAML,
  agentActor,
  approverActor,
  askInput,
  givenAdopted,
  givenAgent,
  givenRelease,
  managerActor,
  onCallActor,
  RELEASE_YAML,
} from '../test/support/fixtures.ts';
import type { TestServices } from '../test/support/services.ts';
import { ms, spreadOf } from './measure.ts';

const TIMES = 5;
const BEGIN_EVERY_MS = 4;
const BEGINS_BEFORE = 50;
const BEGINS_AFTER = 100;
const SEGMENTS = ['gold', 'default'];

/** Something that takes the gate alone, and how it is undone for the next time. */
interface Change {
  name: string;
  run(): Promise<unknown>;
  undo?(): Promise<unknown>;
}

/** What begins of another agent wait while the gate is closed for the one whose 2,000 actions are open and whose rollout is. */
export async function benchBeside(services: TestServices, say: (line: string) => void): Promise<void> {
  const of = (agent: string) => (yaml: string) => yaml.replace('agent: desk', `agent: ${agent}`);
  const beside = of('beside');
  await givenAdopted(services, { agentYaml: beside(AGENT_YAML), releaseYaml: beside(RELEASE_YAML) });
  say('');
  for (const change of await changes(services, of)) {
    const [took, waited]: [number[], number[]] = [[], []];
    for (let time = 0; time < TIMES; time++) {
      const ids = await approvedOf(services, 'beside', BEGINS_BEFORE + BEGINS_AFTER);
      const begins: Promise<number>[] = [];
      const next = async (count: number) => {
        for (const id of ids.splice(0, count)) {
          begins.push(begun(services, 'beside', id));
          await sleep(BEGIN_EVERY_MS);
        }
      };
      await next(BEGINS_BEFORE);
      const startedAt = performance.now();
      const changed = change.run().then(() => took.push(performance.now() - startedAt));
      await next(BEGINS_AFTER);
      await changed;
      waited.push(...(await Promise.all(begins)));
      await change.undo?.();
    }
    const [own, others] = [spreadOf(took), spreadOf(waited)];
    say(
      `${change.name.padEnd(28)}p50 ${ms(own.p50).padStart(9)}   begins of another agent: p50 ${ms(others.p50)}, p99 ${ms(others.p99)} of ${others.n}   aim: p99 at most 25 ms`,
    );
  }
}

async function changes(
  services: TestServices,
  of: (agent: string) => (yaml: string) => string,
): Promise<Change[]> {
  const { sql: db } = services.db;
  const scope = 'agent/desk';
  const { id } = await db
    .selectFrom('rollout')
    .select('id')
    .where('ended_at', 'is', null)
    .executeTakeFirstOrThrow();
  const expose = () =>
    sql`UPDATE rollout_segment SET exposure = 10000, state = 'exposed' WHERE rollout_id = ${id}`.execute(db);
  await expose();
  let adopted = 0;
  return [
    {
      name: 'roll back two segments',
      run: () =>
        rollBack(
          services,
          id,
          SEGMENTS.map((segment) => ({ segment })),
          { actor: 'cleo', because: 'bench' },
        ),
      undo: expose,
    },
    {
      name: 'adopt a first release',
      run: async () => {
        const yaml = of(`adopted-${adopted++}`);
        const agent = await givenAgent(services, yaml(AGENT_YAML));
        await givenRelease(services, agent, yaml(RELEASE_YAML));
        await adoptRelease(services, managerActor(), { agent: agent.agent, version: '1', reason: 'bench' });
      },
    },
    {
      name: 'disable an agent',
      run: () => disable(services, onCallActor(), { scope, reason: 'bench' }),
      undo: () => enable(services, managerActor(), { scope, reason: 'bench' }),
    },
  ];
}

async function approvedOf(services: TestServices, agent: string, count: number): Promise<string[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const { action } = await askAction(services, agentActor({ agent }), askInput({ agent }));
      await answerAction(services, approverActor(), { id: action.id, verdict: 'approve' });
      return action.id;
    }),
  );
}

async function begun(services: TestServices, agent: string, id: string): Promise<number> {
  const startedAt = performance.now();
  await beginAction(services, agentActor({ agent }), { id, executionId: 'e' });
  return performance.now() - startedAt;
}
