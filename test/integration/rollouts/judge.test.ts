import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { askAction } from '../../../src/actions/ask.ts';
import { beginAction } from '../../../src/actions/begin.ts';
import { correctAction } from '../../../src/actions/correct.ts';
import { waitsOf } from '../../../src/domain/rollout/phase.ts';
import type { ActionRow } from '../../../src/records/action.ts';
import { rolloutFacts } from '../../../src/rollouts/facts.ts';
import { judgeDue, queueExposed } from '../../../src/rollouts/judge.ts';
import { rolloutStatus } from '../../../src/rollouts/status.ts';
import { runRolloutVerb } from '../../../src/rollouts/verbs.ts';
import { verifies } from '../../requirements.ts';
import { agentActor, approverActor, askInput, managerActor } from '../../support/fixtures.ts';
import { describeWithServices, type TestServices } from '../../support/services.ts';
import { givenCancelled, givenExposed, report } from './support.ts';

async function goldOf(services: TestServices, id: string) {
  const status = await rolloutStatus(services, id);
  return status.segments.find((segment) => segment.segment === 'gold');
}

describeWithServices('judgeDue()', (make) => {
  test('takes back the segment that breaches, and no other', async () => {
    const services = await make();
    const id = await givenExposed(services);
    const left = await givenCancelled(services, 'calm', 'silver');
    await report(services, left, 0);
    const asked = await askAction(
      services,
      agentActor(),
      askInput({ subject: 'w', idempotencyKey: 'w', args: { id: 'w' } }),
    );
    for (let n = 0; n < 8; n++) await report(services, await givenCancelled(services, `harm-${n}`), 1);
    await judgeDue(services);
    const status = await rolloutStatus(services, id);
    expect(status.segments).toMatchObject([
      { segment: 'default', state: 'exposed', exposurePercent: 100 },
      { segment: 'gold', state: 'rolled_back', exposurePercent: 0, generation: 2, release: '1' },
      { segment: 'silver', state: 'exposed', exposurePercent: 100 },
    ]);
    const incident = await services.db.sql.selectFrom('incident').selectAll().executeTakeFirstOrThrow();
    expect(incident).toMatchObject({ segment: 'gold', metric: 'wrong' });
    expect(incident.verified_at).not.toBeNull();
    expect((incident.evidence as { executed: unknown[] }).executed).toHaveLength(8);
    await expect(
      beginAction(services, agentActor(), { id: asked.action.id, executionId: 'w' }),
    ).rejects.toMatchObject({ code: 'not_approved' });
    const alerts = await services.db.sql.selectFrom('alert').select(['kind', 'facts']).execute();
    expect(alerts).toMatchObject([
      { kind: 'rollout.rolled_back', facts: { segment: 'gold', backOn: '1', voided: 1 } },
    ]);
  });

  test('judges the process of all segments once, however many of them are due', async () => {
    const services = await make();
    await givenExposed(services);
    for (const tier of ['gold', 'silver', 'bronze']) await givenCancelled(services, tier, tier);
    await sql`CREATE TABLE judged (segment text)`.execute(services.db.sql);
    await sql`CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      INSERT INTO judged VALUES (NEW.segment); RETURN NEW; END $$`.execute(services.db.sql);
    await sql`CREATE TRIGGER notes BEFORE INSERT OR UPDATE ON verdict FOR EACH ROW EXECUTE FUNCTION note()`.execute(
      services.db.sql,
    );
    expect(await judgeDue(services)).toBe(3);
    const { rows } =
      await sql`SELECT segment, count(*)::int AS n FROM judged GROUP BY segment ORDER BY segment`.execute(
        services.db.sql,
      );
    expect(rows).toEqual(['*', 'default', 'gold', 'silver'].map((segment) => ({ segment, n: 1 })));
  });

  test('a correction counts at the start-day of its conversation, and once', async () => {
    const services = await make();
    const id = await givenExposed(services);
    const action = await givenCancelled(services, 'late');
    await report(services, action, 0);
    services.clock.advance(3 * services.dayMs);
    await correctAction(services, approverActor(), { id: action.id, reason: 'it was the wrong room' });
    await correctAction(services, approverActor('ben'), { id: action.id, reason: 'again' });
    await report(services, action, 0);
    await judgeDue(services);
    const found = { segment: 'gold', events: 1, harms: 1, known: 1 };
    const { segments, lastVerdict } = await rolloutStatus(services, id);
    expect(lastVerdict).toMatchObject({ ...found, buckets: [{ day: 0, events: 1, harms: 1 }] });
    const [line] = segments.find(({ segment }) => segment === 'gold')?.verdicts ?? [];
    expect(line).toMatchObject(found);
    expect(line).not.toHaveProperty('buckets');
  });

  verifies(
    'never:outage-reads-as-news',
    'outcomes that never arrive are no-data: neither a breach nor a reason to widen',
    async () => {
      const services = await make();
      const id = await givenExposed(services);
      for (let n = 0; n < 200; n++) await givenCancelled(services, `silent-${n}`);
      services.clock.advance(20 * services.dayMs);
      await givenCancelled(services, 'today');
      await judgeDue(services);
      const gold = await goldOf(services, id);
      expect(gold).toMatchObject({
        state: 'exposed',
        verdicts: [{ verdict: 'no-data', events: 201, known: 0, harms: 0 }],
      });
      const { waitsFor } = await rolloutStatus(services, id);
      expect(waitsFor).toContainEqual(expect.objectContaining({ for: 'sample', segment: 'gold', needed: 5 }));
    },
    60_000,
  );

  test('the same 200 conversations with their outcomes are ok: the outage alone made the difference', async () => {
    const services = await make();
    const id = await givenExposed(services);
    for (let n = 0; n < 200; n++) await report(services, await givenCancelled(services, `good-${n}`), 0);
    services.clock.advance(20 * services.dayMs);
    await givenCancelled(services, 'today');
    await judgeDue(services);
    expect(await goldOf(services, id)).toMatchObject({ verdicts: [{ verdict: 'ok', known: 200 }] });
  });

  test('harm spread thin over segments is found by the pooled process, which takes back all of them', async () => {
    const services = await make();
    const id = await givenExposed(services);
    for (let n = 0; n < 2; n++) {
      await report(services, await givenCancelled(services, `g-${n}`), 1);
      await report(services, await givenCancelled(services, `s-${n}`, 'silver'), 1);
      await report(services, await givenCancelled(services, `d-${n}`, 'bronze'), 1);
    }
    await judgeDue(services);
    const status = await rolloutStatus(services, id);
    expect(status.segments.map((segment) => segment.state)).toEqual([
      'rolled_back',
      'rolled_back',
      'rolled_back',
    ]);
    expect(status.pooled[0]).toMatchObject({ segment: '*', metric: 'wrong' });
  });

  test('harm that one segment has most of, and not enough to be taken back, asks people once', async () => {
    const services = await make();
    const id = await givenExposed(services);
    for (let n = 0; n < 10; n++)
      await report(services, await givenCancelled(services, `g-${n}`), Number(n < 4));
    for (let n = 0; n < 4; n++)
      await report(services, await givenCancelled(services, `s-${n}`, 'silver'), Number(n < 1));
    await judgeDue(services);
    const held = await rolloutStatus(services, id);
    expect(held.status).toBe('paused');
    expect(held.waitsFor[0]?.detail).toMatch(
      /^held by the judge \d+ s ago: wrong: all segments together .* most of it in gold \(rollout resume\)$/,
    );
    expect(held.segments.map(({ state }) => state)).not.toContain('rolled_back');
    const [pooled] = held.pooled;
    expect(pooled?.verdict).not.toBe('breach');
    expect(pooled?.pooledLogE).toBeGreaterThan(pooled?.thresholdLogE ?? 99);
    const alerts = () =>
      services.db.sql.selectFrom('alert').select('facts').where('kind', '=', 'rollout.held').execute();
    expect(await alerts()).toMatchObject([
      {
        facts: {
          because: expect.stringMatching(/^wrong: all segments together do worse .* most of it in gold$/),
        },
      },
    ]);
    await runRolloutVerb(services, managerActor(), {
      id,
      verb: 'resume',
      reason: 'looked at, a known outage',
    });
    await report(services, await givenCancelled(services, 'more', 'silver'), 0);
    await judgeDue(services);
    expect((await rolloutStatus(services, id)).status).toBe('running');
    expect(await alerts()).toHaveLength(1);
  });

  test('what one segment alone was taken back for holds nothing besides', async () => {
    const services = await make();
    const id = await givenExposed(services);
    await report(services, await givenCancelled(services, 's', 'silver'), 0);
    for (let n = 0; n < 10; n++) await report(services, await givenCancelled(services, `g-${n}`), 1);
    await judgeDue(services);
    const { status, pooled, segments } = await rolloutStatus(services, id);
    expect(segments.find(({ segment }) => segment === 'gold')?.state).toBe('rolled_back');
    expect(pooled[0]?.pooledLogE).toBeGreaterThan(pooled[0]?.thresholdLogE ?? 99);
    expect(status).toBe('running');
  });

  test('a breach of a guardrail that holds takes nothing back: it pauses once, tells on-call, and nothing widens', async () => {
    const services = await make();
    const id = await givenExposed(services, {
      guardrails: '{ metric: wrong, limit: 0.05, reason: people decide, on: { breach: hold } }',
    });
    for (let n = 0; n < 10; n++) await report(services, await givenCancelled(services, `g-${n}`), 1);
    await judgeDue(services);
    const { status, segments, waitsFor } = await rolloutStatus(services, id);
    expect(status).toBe('paused');
    expect(waitsFor[0]?.detail).toMatch(
      /^held by the judge \d+ s ago: gold: wrong above its limit of 0.05 .*says to hold then \(rollout resume\)$/,
    );
    const gold = segments.find(({ segment }) => segment === 'gold');
    expect(gold).toMatchObject({ state: 'exposed', verdicts: [{ verdict: 'breach' }] });
    const told = () => services.db.sql.selectFrom('alert').select(['kind', 'facts']).orderBy('id').execute();
    expect(await told()).toMatchObject([
      {
        kind: 'rollout.held',
        facts: {
          because: expect.stringMatching(/^gold: wrong above its limit of 0.05 .*says to hold then$/),
        },
      },
    ]);
    await runRolloutVerb(services, managerActor(), { id, verb: 'resume', reason: 'looked at' });
    await report(services, await givenCancelled(services, 'more'), 1);
    await judgeDue(services);
    expect((await rolloutStatus(services, id)).status).toBe('running');
    expect(await told()).toHaveLength(1);
    const waits = waitsOf(await rolloutFacts(services, id)).map(({ detail }) => detail);
    expect(waits).toContain(
      'gold wrong: breach, which the release holds on: roll it back, then reenter or exclude it',
    );
  });

  test('silence of a guardrail that holds on it pauses, and not before anybody could have spoken', async () => {
    const services = await make();
    const id = await givenExposed(services, {
      guardrails: '{ metric: wrong, limit: 0.05, reason: no silence, on: { no-data: hold } }',
    });
    await queueExposed(services);
    await judgeDue(services);
    expect((await rolloutStatus(services, id)).status).toBe('running');
    await givenCancelled(services, 's');
    services.clock.advance(3 * services.dayMs);
    await queueExposed(services);
    await judgeDue(services);
    expect((await rolloutStatus(services, id)).status).toBe('paused');
  });

  test('a hold is told whatever else holds it: while paused, when it completed, and after a judging that was cut off', async () => {
    const services = await make();
    const id = await givenExposed(services, {
      guardrails: '{ metric: wrong, limit: 0.05, reason: people decide, on: { breach: hold } }',
    });
    const told = async () => {
      const rows = await services.db.sql
        .selectFrom('alert')
        .select('facts')
        .where('kind', '=', 'rollout.held')
        .orderBy('created_at')
        .execute();
      return rows.map(({ facts }) => facts.segment);
    };
    const silver: ActionRow[] = [];
    for (let n = 0; n < 10; n++) silver.push(await givenCancelled(services, `s-${n}`, 'silver'));
    await runRolloutVerb(services, managerActor(), { id, verb: 'pause', reason: 'nobody is here' });
    for (let n = 0; n < 10; n++) await report(services, await givenCancelled(services, `g-${n}`), 1);
    await judgeDue(services);
    expect(await told()).toEqual(['gold']);
    // As if the process had died between the verdict and the hold.
    await services.db.sql.updateTable('verdict').set({ held: null }).where('segment', '=', 'gold').execute();
    await runRolloutVerb(services, managerActor(), { id, verb: 'resume', reason: 'back' });
    await queueExposed(services);
    await judgeDue(services);
    expect(await told()).toEqual(['gold', 'gold']);
    expect((await rolloutStatus(services, id)).status).toBe('paused');
    await services.db.sql
      .updateTable('rollout')
      .set({ status: 'completed', ended_at: services.clock.now() })
      .execute();
    for (const action of silver) await report(services, action, 1);
    await judgeDue(services);
    expect((await told()).slice(2)).toContain('silver');
    expect((await rolloutStatus(services, id)).status).toBe('completed');
  });

  test('nothing is held for a segment that is exposed to nobody any more', async () => {
    const services = await make();
    const id = await givenExposed(services, {
      guardrails: '{ metric: wrong, limit: 0.05, reason: people decide, on: { breach: hold } }',
    });
    const late: ActionRow[] = [];
    for (let n = 0; n < 10; n++) late.push(await givenCancelled(services, `g-${n}`));
    await runRolloutVerb(services, managerActor(), {
      id,
      verb: 'rollback',
      segment: 'gold',
      reason: 'by hand',
    });
    await runRolloutVerb(services, managerActor(), {
      id,
      verb: 'exclude',
      segment: 'gold',
      reason: 'for good',
    });
    for (const action of late) await report(services, action, 1);
    await judgeDue(services);
    expect((await rolloutStatus(services, id)).status).toBe('running');
  });
});
