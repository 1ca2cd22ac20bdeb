import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { applyAgent, previewAgent } from '../../../src/agents/apply.ts';
import type { Agent } from '../../../src/domain/agent.ts';
import { rolloutFacts } from '../../../src/rollouts/facts.ts';
import { judgeDue } from '../../../src/rollouts/judge.ts';
import { runRolloutVerb } from '../../../src/rollouts/verbs.ts';
import { managerActor } from '../../support/fixtures.ts';
import { describeWithServices } from '../../support/services.ts';
import { add, apply, givenTold, logged, manifest, tier } from './join-support.ts';
import { givenExposed } from './support.ts';

describeWithServices('a segment that a later manifest may not add to an open rollout', (make) => {
  test('segments that are removed, changed, moved or put before others are refused, and so is all else that is frozen', async () => {
    const services = await make();
    const id = await givenExposed(services);
    const before = await manifest(services);
    const refusal = (change: (agent: Agent) => Partial<Agent>) =>
      apply(services, change).then(
        () => 'applied',
        (error: Error) => error.message,
      );
    expect(await refusal(({ segments }) => ({ segments: segments.slice(1) }))).toContain(
      'it removes segment "gold": keep it',
    );
    expect(
      await refusal(({ segments }) => ({
        segments: segments.map((one) => ({ ...one, when: `${one.when} && true` })),
      })),
    ).toContain(`Cannot change the segments of rollout ${id}, whose evidence is of those it has`);
    expect(await refusal(({ segments }) => ({ segments: [tier('vip'), ...segments] }))).toContain(
      'it puts "vip" before "silver": put it after',
    );
    expect(
      await refusal(({ segments, tools }) => ({
        segments: [...segments, tier('vip')],
        tools: Object.fromEntries(Object.entries(tools).slice(0, 1)),
      })),
    ).toContain(`Cannot change tools, metrics, attributes or lists: rollout ${id} froze them`);
    expect(await manifest(services)).toEqual(before);
    expect(await logged(services, 'rollout.segment_joined')).toEqual([]);
  });

  test('whom default was rolled back for is not exposed again under another name', async () => {
    const services = await make();
    const id = await givenExposed(services);
    const verb = (name: 'rollback' | 'exclude') =>
      runRolloutVerb(services, managerActor(), { id, verb: name, segment: 'default', reason: 'harm' });
    await verb('rollback');
    await expect(add(services, 'vip')).rejects.toThrow('comes from default, which was rolled back');
    await verb('exclude');
    await expect(add(services, 'vip')).rejects.toThrow('comes from default, which was excluded');
  });

  test('a breach of all together that the release holds on is settled first', async () => {
    const services = await make();
    const id = await givenExposed(services, {
      guardrails:
        '{ metric: wrong, limit: 0.05, reason: twice what the desk gets wrong, on: { breach: hold } }',
    });
    for (const segment of ['gold', 'silver', 'other']) await givenTold(services, segment, 3, 1);
    await judgeDue(services);
    expect(await rolloutFacts(services, id)).toMatchObject({ pooledBreaches: ['wrong'] });
    await expect(add(services, 'vip')).rejects.toThrow('all segments together breached wrong');
  });

  test('the reserve has an end, and what is told then says what to do', async () => {
    const services = await make();
    await givenExposed(services);
    const names = Array.from({ length: 21 }, (_, n) => `later-${n}`);
    await add(services, ...names.slice(0, 19));
    await expect(add(services, ...names.slice(19))).rejects.toThrow(
      'it takes in 20 at most, and their reserve of alpha is spent. Wait until it has ended, or start anew with it (rollout start --supersede)',
    );
    await add(services, 'last');
    const { rows } = await sql<{ sum: number }>`
      SELECT sum((s ->> 'weight')::float8) AS sum FROM rollout, jsonb_array_elements(plan -> 'shares') s`.execute(
      services.db.sql,
    );
    expect(rows[0]?.sum).toBeGreaterThan(0.99);
    expect(rows[0]?.sum).toBeLessThanOrEqual(1);
  });

  test('one whose limit would come from a baseline that is locked is refused before anything is written', async () => {
    const services = await make();
    await givenExposed(services, { limit: '{ baseline: { margin: 0.5 } }' });
    const agent = await manifest(services);
    const more = { ...agent, segments: [...agent.segments, tier('vip')] };
    const told = 'the limit of wrong comes from the baseline, which is locked with these requests in default';
    await expect(previewAgent(services.db.sql, more, services.clock.now())).rejects.toThrow(told);
    await expect(applyAgent(services, managerActor(), more)).rejects.toThrow(told);
    expect(await manifest(services)).toEqual(agent);
  });
});
