import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { applyAgent } from '../../../src/agents/apply.ts';
import { nextMove } from '../../../src/domain/rollout/phase.ts';
import { calendarTimes } from '../../../src/groups/ical.ts';
import { refreshFreezes } from '../../../src/groups/refresh-freezes.ts';
import { SourceFailure } from '../../../src/net/source-failure.ts';
import { rolloutById } from '../../../src/records/rollout.ts';
import { rolloutFacts } from '../../../src/rollouts/facts.ts';
import { makeMove, planMove } from '../../../src/rollouts/next-move.ts';
import { runRolloutVerb } from '../../../src/rollouts/verbs.ts';
import {
  AGENT_YAML,
  agentFrom,
  givenAdopted,
  givenRelease,
  managerActor,
  RELEASE_2_YAML,
} from '../../support/fixtures.ts';
import { until } from '../../support/service-process.ts';
import { describeWithServices, type TestServices } from '../../support/services.ts';
import { startRollout } from '../../support/start.ts';

/** A rollout of which only the owners' approval of the first gate is missing. */
async function givenGate(services: TestServices): Promise<string> {
  await givenAdopted(services);
  await givenRelease(services, agentFrom(AGENT_YAML), RELEASE_2_YAML);
  const { id } = await startRollout(services, managerActor(), {
    agent: 'desk',
    release: '2',
    reason: 'ready',
  });
  await services.db.sql.updateTable('rollout').set({ baseline_locked_at: services.clock.now() }).execute();
  services.clock.advance(30 * services.dayMs);
  return id;
}

const next = async (services: TestServices, id: string) => nextMove(await rolloutFacts(services, id));
const move = async (services: TestServices, id: string) => makeMove(services, await planMove(services, id));

async function alerts(services: TestServices): Promise<Record<string, unknown>[]> {
  const rows = await services.db.sql
    .selectFrom('alert')
    .select(['kind', 'facts'])
    .where('kind', 'in', ['rollout.gate', 'rollout.held'])
    .orderBy('created_at')
    .execute();
  return rows.map(({ kind, facts }) => ({ kind, ...(facts as object) }));
}

describeWithServices('a gate that only the owners hold up', (make) => {
  test('is told once, and again when a reminder is due: never in between', async () => {
    const services = await make();
    const id = await givenGate(services);
    expect(await next(services, id)).toEqual({ do: 'ask-person' });
    await move(services, id);
    expect(await alerts(services)).toMatchObject([{ kind: 'rollout.gate', step: 1 }]);
    services.clock.advance(1.5 * services.dayMs);
    expect(await next(services, id)).toEqual({ do: 'wait', ms: services.dayMs / 2 });
    services.clock.advance(services.dayMs);
    expect(await next(services, id)).toEqual({ do: 'ask-person' });
    await move(services, id);
    expect((await alerts(services)).map(({ reminder }) => reminder ?? false)).toEqual([false, true]);
    expect(await next(services, id)).toEqual({ do: 'wait', ms: services.dayMs });
  });

  test('is told to on-call when nobody answers, and at last holds the rollout until somebody resumes it', async () => {
    const services = await make();
    const id = await givenGate(services);
    await move(services, id);
    services.clock.advance(7 * services.dayMs);
    expect(await next(services, id)).toEqual({ do: 'escalate-gate' });
    await move(services, id);
    expect((await alerts(services)).at(-1)).toMatchObject({ kind: 'rollout.gate', escalatedTo: ['cleo'] });
    services.clock.advance(services.dayMs);
    expect(await next(services, id)).toMatchObject({ do: 'wait' });
    services.clock.advance(13 * services.dayMs);
    expect(await next(services, id)).toEqual({ do: 'expire-gate' });
    await move(services, id);
    expect((await alerts(services)).at(-1)).toMatchObject({
      kind: 'rollout.held',
      because: expect.stringContaining('nobody answered the gate of step 1'),
    });
    expect(await rolloutById(services.db.sql, id)).toMatchObject({ status: 'paused', step_index: 0 });
    await runRolloutVerb(services, managerActor(), { id, verb: 'resume', reason: 'back from leave' });
    // It is a gate like a new one.
    expect(await next(services, id)).toEqual({ do: 'ask-person' });
  });

  test('is answered as it was seen: of a step that is over nobody approves anything', async () => {
    const services = await make();
    const id = await givenGate(services);
    await move(services, id);
    const answer = (verb: 'approve-gate' | 'reject-gate', step: number) =>
      runRolloutVerb(services, managerActor(), { id, verb, step, reason: 'fine' });
    for (const verb of ['approve-gate', 'reject-gate'] as const)
      await expect(answer(verb, 2)).rejects.toMatchObject({
        code: 'conflict',
        message: `Cannot ${verb}: the gate of step 2 is not open any more, it is in step 1`,
      });
    expect(await answer('approve-gate', 1)).toMatchObject({ changed: true });
    await move(services, id);
    await expect(answer('reject-gate', 1)).rejects.toMatchObject({ code: 'conflict' });
  });

  test('is answered although its row changed meanwhile, as by a reminder; not where its step did', async () => {
    const services = await make();
    const id = await givenGate(services);
    await move(services, id);
    const { sql: db } = services.db;
    const answeredBeside = async (change: { step_index?: number }) => {
      const waits = sql`SELECT FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'update "rollout"%'`;
      const approve = { id, verb: 'approve-gate', reason: 'fine' } as const;
      const { answer } = await db.transaction().execute(async (tx) => {
        await tx
          .updateTable('rollout')
          .set(({ eb }) => ({ ...change, revision: eb('revision', '+', 1) }))
          .execute();
        const answer = runRolloutVerb(services, managerActor(), approve);
        answer.catch(() => undefined);
        await until('the answer waits', async () => (await waits.execute(db)).rows.length === 1);
        return { answer };
      });
      return answer;
    };
    // Guard: answerGate() reads anew; without it this is a conflict.
    expect(await answeredBeside({})).toMatchObject({ changed: true });
    // Guard: the step that was seen is kept; without it the gate of another one would be answered unseen.
    await expect(answeredBeside({ step_index: 1 })).rejects.toMatchObject({
      code: 'conflict',
      message: 'Cannot approve-gate: the gate of step 1 is not open any more, it is in step 2',
    });
  });

  test('is not even asked for in a freeze, which holds for what began before it was written', async () => {
    const services = await make();
    const id = await givenGate(services);
    const now = services.clock.now();
    const to = new Date(now.getTime() + services.dayMs / 4).toISOString();
    const agent = agentFrom(AGENT_YAML);
    await applyAgent(services, managerActor(), {
      ...agent,
      freezes: [{ from: '2026-01-01', to, reason: 'the season of gifts' }],
    });
    expect(await next(services, id)).toEqual({ do: 'wait', ms: services.dayMs / 4 });
    await expect(
      runRolloutVerb(services, managerActor(), { id, verb: 'approve-gate', reason: 'fine' }),
    ).rejects.toThrow(`a freeze until ${to}: the season of gifts`);
    services.clock.advance(services.dayMs / 4);
    expect(await next(services, id)).toEqual({ do: 'ask-person' });
  });

  test('stands still while it cannot be answered: a freeze is nobody who did not answer', async () => {
    const services = await make();
    const id = await givenGate(services);
    await move(services, id);
    const to = new Date(services.clock.now().getTime() + 30 * services.dayMs).toISOString();
    const agent = { ...agentFrom(AGENT_YAML), freezes: [{ from: '2026-01-01', to, reason: 'gifts' }] };
    await applyAgent(services, managerActor(), agent);
    expect(await next(services, id)).toEqual({ do: 'close-gate' });
    await move(services, id);
    expect(await next(services, id)).toMatchObject({ do: 'wait' });
    services.clock.advance(31 * services.dayMs);
    expect(await next(services, id)).toEqual({ do: 'ask-person' });
    expect(await rolloutById(services.db.sql, id)).toMatchObject({ status: 'running' });
  });

  test('by a calendar: not before it was read, then by its entries, and not once nobody knows any more what it says', async () => {
    const services = await make();
    const id = await givenGate(services);
    const place = 'https://calendar.example.com/freezes.ics';
    const freezes = [{ ical: place, reason: 'the shop is full' }];
    await applyAgent(services, managerActor(), { ...agentFrom(AGENT_YAML), freezes });
    const why = async () => (await rolloutFacts(services, id)).freeze?.reason ?? '';
    expect(await why()).toMatch(/^the shop is full, unless its calendar says otherwise: it was not read yet/);
    expect(await next(services, id)).toMatchObject({ do: 'wait' });
    let asked = 0;
    const read = (answer: { from: Date; to: Date }[] | Error) =>
      refreshFreezes(services, async (at) => {
        expect(at).toBe(place);
        asked += 1;
        if (answer instanceof Error) throw answer;
        return answer;
      });
    const now = services.clock.now();
    const until = new Date(now.getTime() + services.dayMs / 4);
    const sale = { from: new Date(now.getTime() - 1), to: until };
    await read([sale]);
    expect(await next(services, id)).toEqual({ do: 'wait', ms: services.dayMs / 4 });
    await expect(
      runRolloutVerb(services, managerActor(), { id, verb: 'approve-gate', reason: 'fine' }),
    ).rejects.toThrow(`a freeze until ${until.toISOString()}: the shop is full`);
    services.clock.moveTo(until);
    expect(await next(services, id)).toEqual({ do: 'ask-person' });
    await read(new SourceFailure('The calendar answered 404'));
    expect(await next(services, id)).toEqual({ do: 'ask-person' });
    services.clock.advance(services.dayMs);
    await read(new SourceFailure('The calendar answered 404'));
    expect(await why()).toContain(`The calendar answered 404 (last read ${now.toISOString()})`);
    const told = services.db.sql.selectFrom('outbox').select('key').where('key', '=', id);
    const before = (await told.execute()).length;
    services.clock.advance(60_000);
    // It says what it said: whoever waits does not know that.
    await read([sale]);
    expect(await next(services, id)).toEqual({ do: 'ask-person' });
    expect((await told.execute()).length).toBe(before + 1);
    const times = asked;
    await read([]);
    expect(asked).toBe(times);
    services.clock.advance(services.dayMs * 2);
    await read(new Error('a defect of ours'));
    expect(await why()).toContain('it could not be read: see the log of the process that reads it');
    await applyAgent(services, managerActor(), agentFrom(AGENT_YAML));
    await read([]);
    expect(await services.db.sql.selectFrom('freeze_calendar').selectAll().execute()).toEqual([]);
  });

  test('by a calendar in a file, as it is', async () => {
    const services = await make();
    const id = await givenGate(services);
    const dataFolder = await mkdtemp(join(tmpdir(), 'freezes-'));
    const at = (ms: number) =>
      new Date(services.clock.now().getTime() + ms).toISOString().replace(/[-:]|\.\d+/g, '');
    const lines = [
      ...[
        'BEGIN:VCALENDAR',
        'VERSION:2.0',
        'PRODID:-//desk//EN',
        'BEGIN:VEVENT',
        'UID:1',
        'SUMMARY:Sale',
        'ATTENDEE;PARTSTAT=DECLINED:mailto:olga@example.com',
      ],
      ...[`DTSTART:${at(-3_600_000)}`, `DTEND:${at(3_600_000)}`, 'END:VEVENT', 'END:VCALENDAR', ''],
    ];
    await writeFile(join(dataFolder, 'freezes.ics'), lines.join('\r\n'));
    const freezes = [{ ical: 'freezes.ics', reason: 'the shop is full' }];
    await applyAgent(services, managerActor(), { ...agentFrom(AGENT_YAML), freezes });
    await refreshFreezes(services, (place, window) => calendarTimes(place, dataFolder, window));
    expect(await next(services, id)).toEqual({ do: 'wait', ms: 3_600_000 });
    services.clock.advance(3_600_000);
    expect(await next(services, id)).toEqual({ do: 'ask-person' });
    await rm(dataFolder, { recursive: true });
  });
});
