import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { createDeputy, listDeputies } from '../../../src/approvals/deputies.ts';
import { sequenceLog } from '../../../src/log/sequence.ts';
import { readEpoch } from '../../../src/records/gate.ts';
import { rolloutStatus } from '../../../src/rollouts/status.ts';
import { runRolloutVerb } from '../../../src/rollouts/verbs.ts';
import { disable } from '../../../src/switches/disable.ts';
import { recoverStore } from '../../../src/switches/recover.ts';
import { revokeToken } from '../../../src/tokens/revoke.ts';
import {
  actorOf,
  approverActor,
  givenAdopted,
  givenRelease,
  givenToken,
  managerActor,
  onCallActor,
  RELEASE_2_YAML,
} from '../../support/fixtures.ts';
import { givenReviewed } from '../../support/reviews.ts';
import { describeWithServices, type TestServices } from '../../support/services.ts';
import { startRollout } from '../../support/start.ts';
import { givenAutonomy, SLICE } from '../approvals/given-autonomy.ts';

const HOUR_MS = 3_600_000;
const recover = (services: TestServices, keepTokens = false) =>
  recoverStore(services, 'ops', { reason: 'restored', keepTokens });

describeWithServices('recover_store()', (make) => {
  test('the epoch jumps to the next thousand million, however often', async () => {
    const services = await make();
    const before = await readEpoch(services.db.sql);
    expect(await recover(services)).toMatchObject({ epochBefore: before + 1, epoch: 1_000_000_000 });
    expect(await recover(services)).toMatchObject({ epochBefore: 1_000_000_001, epoch: 2_000_000_000 });
    expect(await readEpoch(services.db.sql)).toBe(2_000_000_000);
  });

  test('it is refused while anything is not off, and without a reason', async () => {
    const services = await make();
    const call = (reason: string) =>
      sql`SELECT recover_store(${reason}, 'ops', ${services.clock.now()}, false)`.execute(services.db.sql);
    await expect(call('x')).rejects.toThrow('is disabled first');
    await disable(services, onCallActor(), { scope: 'everything', reason: 'x' });
    await expect(call('x')).rejects.toThrow('is disabled first');
    await disable(services, onCallActor(), { scope: 'everything', reason: 'x', reads: true });
    await expect(call(' ')).rejects.toThrow('a reason is needed');
    await call('x');
  });

  test('tokens that lived end; what had ended stays as it was', async () => {
    const services = await make();
    const { clock, db } = services;
    const [gone, live] = [await givenToken(services, 'auditor'), await givenToken(services, 'auditor')];
    await revokeToken(services, actorOf('admin'), gone.id);
    const expiresAt = new Date(clock.now().getTime() + HOUR_MS);
    const expired = await givenToken(services, 'auditor', { expiresAt });
    const revokedAt = clock.now();
    clock.advance(2 * HOUR_MS);
    const later = await givenToken(services, 'auditor', {
      expiresAt: new Date(clock.now().getTime() + HOUR_MS),
    });
    expect((await recover(services, true)).tokensRevoked).toBe(0);
    expect((await recover(services)).tokensRevoked).toBe(2);
    const rows = await db.sql.selectFrom('token').select(['id', 'revoked_at']).execute();
    expect(Object.fromEntries(rows.map(({ id, revoked_at }) => [id, revoked_at]))).toEqual({
      [gone.id]: revokedAt,
      [live.id]: clock.now(),
      [expired.id]: null,
      [later.id]: clock.now(),
    });
  });

  test('deputies end, and what was earned is asked again and earned anew', async () => {
    const services = await make();
    await givenAdopted(services);
    const { clock, db } = services;
    const name = (hours: number) =>
      createDeputy(services, approverActor('ana'), {
        agent: 'desk',
        to: 'ben',
        endsAt: new Date(clock.now().getTime() + hours * HOUR_MS),
        reason: 'away',
      });
    const over = await name(1);
    clock.advance(2 * HOUR_MS);
    const live = await name(24);
    await givenAutonomy(services, 'allow');
    await givenAutonomy(services, 'proposed', { ...SLICE, segment: 'gold' });
    expect((await recover(services)).deputiesEnded).toBe(1);
    const deputies = await db.sql.selectFrom('deputy').select(['id', 'revoked_at', 'revoked_by']).execute();
    expect(deputies).toEqual(
      expect.arrayContaining([
        { id: over.id, revoked_at: null, revoked_by: null },
        { id: live.id, revoked_at: clock.now(), revoked_by: 'ops' },
      ]),
    );
    const earned = await db.sql
      .selectFrom('autonomy')
      .select(['state', 'evidence_from', 'changed_by'])
      .execute();
    expect(earned).toEqual(Array(2).fill({ state: 'ask', evidence_from: clock.now(), changed_by: 'ops' }));
    await sequenceLog(db.sql);
    const told = sql`SELECT 1 FROM log_entry WHERE kind = 'autonomy.taken_back'`.execute(db.sql);
    expect((await told).rows).toHaveLength(2);
    expect(await listDeputies(services, { agent: 'desk', ended: false })).toEqual([]);
  });

  test('an open rollout is paused with its exposed segments rolled back, and its workflow told; one that ended is left', async () => {
    const services = await make();
    const { agent } = await givenAdopted(services);
    await givenRelease(services, agent, RELEASE_2_YAML);
    const asked = { agent: 'desk', release: '2', reason: 'try' };
    const { id: ended } = await startRollout(services, managerActor(), asked);
    await runRolloutVerb(services, onCallActor(), { id: ended, verb: 'rollback', reason: 'x' });
    await givenReviewed(services);
    const { id } = await startRollout(services, managerActor(), asked);
    const { db } = services;
    const segments = db.sql.updateTable('rollout_segment').set({ exposure: 500, state: 'exposed' });
    await segments.where('segment', '=', 'gold').execute();
    const read = (rollout: string) =>
      db.sql
        .selectFrom('rollout')
        .select(['status', 'revision'])
        .where('id', '=', rollout)
        .executeTakeFirstOrThrow();
    const before = [await read(ended), await read(id)] as const;
    await sql`TRUNCATE outbox`.execute(db.sql);
    const { segments: back } = await recover(services);
    expect(back).toEqual([{ rollout: id, agent: 'desk', segment: 'gold', exposureBefore: 500 }]);
    expect(await read(ended)).toEqual(before[0]);
    const after = await read(id);
    expect(after.status).toBe('paused');
    expect((await rolloutStatus(services, id)).waitsFor[0]?.detail).toBe(
      'paused by ops 0 s ago: the store was restored: restored (rollout resume)',
    );
    expect(after.revision).toBeGreaterThanOrEqual(before[1].revision + 1_000_000);
    const states = await db.sql
      .selectFrom('rollout_segment')
      .select(['segment', 'state', 'exposure'])
      .where('rollout_id', '=', id)
      .orderBy('segment')
      .execute();
    expect(states).toEqual([
      { segment: 'default', state: 'waiting', exposure: 0 },
      { segment: 'gold', state: 'rolled_back', exposure: 0 },
    ]);
    const due = db.sql.selectFrom('outbox').select('key').distinct().where('topic', '=', 'rollout');
    expect(await due.execute()).toEqual([{ key: id }]);
  });
});
