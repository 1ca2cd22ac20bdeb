import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { askAction } from '../../../src/actions/ask.ts';
import { isGateHeld } from '../../../src/db/failure.ts';
import { sequenceLog } from '../../../src/log/sequence.ts';
import { verifyLog } from '../../../src/log/verify.ts';
import { readEpoch } from '../../../src/records/gate.ts';
import { AfterBuffer, READ_LEASE_MS } from '../../../src/records/record-after.ts';
import type { Services } from '../../../src/services.ts';
import { disable } from '../../../src/switches/disable.ts';
import { enable } from '../../../src/switches/enable.ts';
import { verifies } from '../../requirements.ts';
import { agentActor, askInput, givenAdopted, onCallActor, RELEASE_YAML } from '../../support/fixtures.ts';
import { WRITTEN_LOG } from '../../support/log.ts';
import { describeWithServices } from '../../support/services.ts';

describeWithServices('AfterBuffer', (make) => {
  const down = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });

  async function givenOutage() {
    const after = new AfterBuffer();
    const services = await make({ after });
    const releaseYaml = RELEASE_YAML.replace('tool: lookup', 'tool: lookup, record: after');
    await givenAdopted(services, { releaseYaml });
    await services.worlds.get('desk');
    const refusing = {
      write: () => Promise.reject(down),
      subject: () => Promise.reject(down),
    } as unknown as Services['asks'];
    const read = (idempotencyKey: string, args = {}) =>
      askAction(
        { ...services, asks: refusing },
        agentActor(),
        askInput({ tool: 'lookup', args, subject: 'new', idempotencyKey }),
      );
    const renew = async (ageMs = 0) =>
      after.renew(performance.now() - ageMs, await readEpoch(services.db.sql));
    const flushDown = () => after.flush({ ...services, asks: refusing });
    return { after, services, read, renew, flushDown };
  }

  test('answers while the lease runs, under the epoch it saw, and the same key the same', async () => {
    const { after, services, read, renew } = await givenOutage();
    await expect(read('early')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await renew();
    const first = await read('one');
    expect(first).toMatchObject({ recorded: 'after', outcome: 'allowed' });
    expect((await read('one')).action.id).toBe(first.action.id);
    await expect(read('one', { other: true })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await renew(READ_LEASE_MS);
    await expect(read('two')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    after.renew(performance.now(), (await readEpoch(services.db.sql)) + 1);
    await expect(read('three')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(after.waiting).toBe(1);
  });

  verifies('never:acknowledged-lost', 'what was answered waits for a gate that is held', async () => {
    const { after, services, read, renew } = await givenOutage();
    await renew();
    await read('one');
    const holder = await services.db.openStop();
    await sql`BEGIN`.execute(holder.sql);
    await sql`SELECT pg_advisory_xact_lock(gate_key())`.execute(holder.sql);
    await expect(after.flush(services)).rejects.toSatisfy(isGateHeld);
    expect(after.waiting).toBe(1);
    await sql`COMMIT`.execute(holder.sql);
    await holder.close();
    await after.flush(services);
    expect(after.waiting).toBe(0);
    expect(await services.db.sql.selectFrom('any_action').select('idempotency_key').execute()).toEqual([
      { idempotency_key: 'one' },
    ]);
  });

  verifies('never:acknowledged-lost', 'what was answered waits for a database that is slow', async () => {
    const { after, services, read, renew } = await givenOutage();
    await renew();
    await read('one');
    const slow = Object.assign(new Error('canceling statement due to statement timeout'), { code: '57014' });
    const { asks } = services;
    services.asks = { write: () => Promise.reject(slow), subject: () => Promise.reject(slow) } as never;
    await expect(after.flush(services)).rejects.toBe(slow);
    expect(after).toMatchObject({ waiting: 1, lost: 0 });
    services.asks = asks;
    await after.flush(services);
    expect(after).toMatchObject({ waiting: 0, lost: 0 });
  });

  verifies(
    'never:acknowledged-lost',
    'what was answered is recorded as it happened, whatever changed since, and what cannot be is counted in the log',
    async () => {
      const { after, services, read, renew, flushDown } = await givenOutage();
      const epoch = await readEpoch(services.db.sql);
      await renew();
      const answered = await Promise.all(['one', 'two', 'taken'].map((key) => read(key)));
      const writes = askInput({ tool: 'lookup', args: { other: true }, idempotencyKey: 'taken' });
      await askAction(services, agentActor(), writes);
      await disable(services, onCallActor(), { scope: 'agent/desk', reason: 'fire', reads: true });
      await enable(services, onCallActor(), { scope: 'agent/desk', reason: 'out' });
      await expect(flushDown()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
      expect(after).toMatchObject({ waiting: 3, lost: 0 });
      await after.flush(services);
      expect(after).toMatchObject({ waiting: 0, lost: 1 });
      const { rows } = await sql<{ ref: string; kind: string; body: string }>`
        SELECT ref, kind, body FROM ${WRITTEN_LOG} l WHERE kind = 'log.gap' OR body LIKE '%"recorded":"after"%' ORDER BY n`.execute(
        services.db.sql,
      );
      expect(rows.map(({ ref, kind, body }) => ({ ref, kind, ...JSON.parse(body).data }))).toMatchObject([
        {
          ref: answered[0]?.action.id,
          kind: 'action.asked',
          epoch,
          subject: expect.stringMatching(/^\w{64}$/),
        },
        { ref: answered[1]?.action.id, kind: 'action.asked', epoch },
        { ref: null, kind: 'log.gap', lost: 1 },
      ]);
      const kept = await services.db.sql
        .selectFrom('any_action')
        .select(['state', 'epoch', 'subject_digest'])
        .where('id', '=', answered[0]?.action.id ?? '')
        .executeTakeFirstOrThrow();
      expect(kept).toMatchObject({ state: 'approved', epoch: epoch + 2 });
      await after.flush(services);
      await sequenceLog(services.db.sql);
      expect(await verifyLog(services.db.sql)).toMatchObject({ verified: true });
    },
  );
});
