import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { arrivalDay, DAYS } from '../../examples/airline/demo/calendar.ts';
import {
  type Conversation,
  controlSet,
  inOrder,
  loadRecording,
  truthOf,
  writesOf,
} from '../../examples/airline/demo/recording.ts';
import { customerOf } from '../../examples/airline/desk/customers.ts';
import { askAction } from '../../src/actions/ask.ts';
import { beginAction } from '../../src/actions/begin.ts';
import { completeAction } from '../../src/actions/complete.ts';
import { answerAction } from '../../src/approvals/answer.ts';
import { nextMove } from '../../src/domain/rollout/phase.ts';
import { recordOutcomes } from '../../src/outcomes/record.ts';
import { rolloutFacts } from '../../src/rollouts/facts.ts';
import { askForGate } from '../../src/rollouts/gate-moves.ts';
import { judgeDue } from '../../src/rollouts/judge.ts';
import { completeRollout, enterStep, lockBaseline } from '../../src/rollouts/moves.ts';
import { rolloutStatus } from '../../src/rollouts/status.ts';
import { runRolloutVerb } from '../../src/rollouts/verbs.ts';
import { agentActor, approverActor, givenAdopted, givenRelease, managerActor } from '../support/fixtures.ts';
import { createTestServices, type TestServices } from '../support/services.ts';
import { startRollout } from '../support/start.ts';

const AGENT = 'airline-desk';
const SEEDS = [undefined, 1, 2];
const CONTROL_SEEDS = [undefined];
const MINUTE_MS = 60_000;

const recording = loadRecording();
const fileOf = (name: string) =>
  readFileSync(new URL(`../../examples/airline/${name}`, import.meta.url), 'utf8');

interface Ended {
  day?: number;
  because: string;
  step: number;
  automatic: number;
  wrong: number;
  events: number;
  harms: number;
  eValue: number;
  begunAfter: number;
}

/** One order of arrival, by the verbs alone: no HTTP, no Temporal, a clock that is moved. */
class Replay {
  readonly #services: TestServices;
  readonly #counts = { automatic: 0, wrong: 0 };
  #rollout = '';
  #rolledBackOn: number | undefined;

  constructor(services: TestServices) {
    this.#services = services;
  }

  async start(salt: string): Promise<void> {
    const { agent } = await givenAdopted(this.#services, {
      agentYaml: fileOf('agent.yaml'),
      releaseYaml: fileOf('release-1.yaml'),
    });
    // No desk signs here: the subject is the agent's word.
    const release = fileOf('release-2.yaml').replace('assertion.sub', 'conversation');
    await givenRelease(this.#services, agent, release);
    const input = { agent: AGENT, release: '2', reason: 'cancellations may run unasked' };
    const { id } = await startRollout(this.#services, managerActor(), input);
    this.#rollout = id;
    // Reproducible: the salt is random, and it decides which conversations are the candidate's.
    await this.#services.db.sql.updateTable('rollout').set({ salt }).where('id', '=', id).execute();
  }

  async play(conversations: readonly Conversation[]): Promise<Ended> {
    const { clock, dayMs } = this.#services;
    const startMs = clock.now().getTime();
    const at = (day: number) => new Date(startMs + day * dayMs);
    let place = 0;
    for (let day = 0; day < DAYS; day++) {
      clock.moveTo(at(day));
      await this.#drive();
      for (; place < conversations.length && arrivalDay(place, conversations.length) < day + 1; place++) {
        clock.moveTo(at(arrivalDay(place, conversations.length)));
        await this.#converse(conversations[place] as Conversation, day);
      }
    }
    clock.moveTo(at(DAYS));
    await this.#drive();
    return this.#ended();
  }

  /** What the workflow does: the next move until there is nothing to do but wait. Gates get their person. */
  async #drive(): Promise<void> {
    for (;;) {
      const facts = await rolloutFacts(this.#services, this.#rollout);
      const planned = { id: this.#rollout, revision: facts.revision, segments: facts.segments };
      const move = nextMove(facts);
      if (move.do === 'lock-baseline') await lockBaseline(this.#services, planned);
      else if (move.do === 'enter-step') await enterStep(this.#services, planned, move.stepIndex);
      else if (move.do === 'complete') await completeRollout(this.#services, planned);
      else if (move.do === 'ask-person') {
        await askForGate(this.#services, planned);
        await runRolloutVerb(this.#services, managerActor(), {
          id: this.#rollout,
          verb: 'approve-gate',
          reason: 'all else holds',
        });
      } else return;
    }
  }

  async #converse(conversation: Conversation, day: number): Promise<void> {
    const services = this.#services;
    const attributes = { ...customerOf(conversation.user, conversation.tier) };
    const actor = agentActor({ agent: AGENT, attributes });
    for (const call of writesOf(conversation)) {
      services.clock.advance(MINUTE_MS);
      const truth = truthOf(recording.truth, call.id);
      const { action, credential } = await askAction(services, actor, {
        agent: AGENT,
        agentVersion: '1',
        tool: call.tool,
        args: call.args,
        context: {},
        subject: conversation.episode,
        behind: [],
        links: [],
        idempotencyKey: call.id,
        begin: { executionId: call.id },
      });
      const { id } = action;
      // Some conversations try what was denied again and again: after the third time nobody is asked.
      if (action.reasons[0]?.code === 'denied_before') continue;
      if (action.state === 'pending') {
        const verdict = truth.expected ? 'approve' : 'deny';
        await answerAction(services, approverActor('ana'), { id, verdict });
        if (verdict === 'deny') continue;
      }
      if (!credential) await beginAction(services, actor, { id, executionId: call.id });
      await completeAction(services, actor, { id, executionId: call.id, ok: !truth.refused });
      if (truth.refused || action.decided_by !== 'policy') continue;
      this.#counts.automatic += 1;
      this.#counts.wrong += truth.expected ? 0 : 1;
      const outcome = { id, action: id, metric: 'wrong-cancellation', value: truth.expected ? 0 : 1 };
      await recordOutcomes(services, actor, { agent: AGENT, outcomes: [outcome] });
      await judgeDue(services);
      await this.#noteRollback(day);
    }
  }

  async #noteRollback(day: number): Promise<void> {
    if (this.#rolledBackOn !== undefined) return;
    const back = await this.#services.db.sql
      .selectFrom('rollout_segment')
      .select('segment')
      .where('rollout_id', '=', this.#rollout)
      .where('state', '=', 'rolled_back')
      .executeTakeFirst();
    if (back) this.#rolledBackOn = day + 1;
  }

  async #ended(): Promise<Ended> {
    const { db } = this.#services;
    const status = await rolloutStatus(this.#services, this.#rollout);
    const rows = await db.sql
      .selectFrom('verdict')
      .selectAll()
      .where('rollout_id', '=', this.#rollout)
      .execute();
    type Record = { eValue: number; events: number; harms: number };
    const own = rows.find(
      ({ segment, metric }) => segment === 'silver-test' && metric === 'wrong-cancellation',
    )?.record as Record | undefined;
    const incident = await db.sql.selectFrom('incident').selectAll().executeTakeFirst();
    const after = incident
      ? await db.sql
          .selectFrom('action')
          .select('id')
          .where('arm', '=', 'candidate')
          .where('began_at', '>', incident.opened_at)
          .execute()
      : [];
    return {
      ...this.#counts,
      day: this.#rolledBackOn,
      because: incident?.title ?? status.waitsFor.map(({ detail }) => detail).join('; '),
      step: status.step,
      events: own?.events ?? 0,
      harms: own?.harms ?? 0,
      eValue: own?.eValue ?? 1,
      begunAfter: after.length,
    };
  }
}

async function replayed(conversations: readonly Conversation[], seed: number | undefined): Promise<Ended> {
  const services = await createTestServices();
  try {
    const replay = new Replay(services);
    await replay.start(`seed ${seed ?? 'as recorded'}`);
    return await replay.play(inOrder(conversations, seed));
  } finally {
    await services.close();
  }
}

const row = (seed: number | undefined, ended: Ended): string =>
  [
    String(seed ?? 'recorded').padEnd(9),
    (ended.day === undefined ? 'not earned' : `day ${ended.day}`).padEnd(11),
    `step ${ended.step}`,
    `${String(ended.automatic).padStart(3)} unasked, ${String(ended.wrong).padStart(2)} wrong`,
    `${String(ended.harms).padStart(2)} of ${String(ended.events).padStart(2)} conversations`,
    `e ${ended.eValue.toPrecision(3).padStart(8)}`,
    ended.because.slice(0, 90),
  ].join('  ');

describe('the airline example over orders of arrival', () => {
  const table: string[] = [];
  afterAll(() => {
    const times = table.filter((line) => line.includes(' day ')).length;
    process.stdout.write(`\n${table.join('\n')}\nrolled back in ${times} of ${SEEDS.length} orders\n`);
  });

  test.each(SEEDS)('seed %s: nothing of the candidate begins after a rollback', async (seed) => {
    const ended = await replayed(recording.conversations, seed);
    table.push(row(seed, ended));
    expect(ended.begunAfter).toBe(0);
    expect(ended.step).toBeLessThanOrEqual(5);
    expect(ended.harms).toBeLessThanOrEqual(ended.wrong);
  });

  test.each(CONTROL_SEEDS)('control, seed %s: conversations without a fault trip nothing', async (seed) => {
    const ended = await replayed(controlSet(recording), seed);
    expect(ended).toMatchObject({ day: undefined, wrong: 0, harms: 0 });
  });
});
