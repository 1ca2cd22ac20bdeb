import { Writable } from 'node:stream';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { sql } from 'kysely';
import pino from 'pino';
import { expect, test } from 'vitest';
import { completeAction } from '../../src/actions/complete.ts';
import { sweepActions } from '../../src/actions/sweep.ts';
import { Sequencer, sequenceLog } from '../../src/log/sequence.ts';
import { verifyLog } from '../../src/log/verify.ts';
import { appendEntry } from '../../src/records/log-entry.ts';
import type { Services } from '../../src/services.ts';
import { eraseSubject } from '../../src/subjects/erase.ts';
import { disable } from '../../src/switches/disable.ts';
import { verifies } from '../requirements.ts';
import { askBody, call, givenApi } from '../support/api.ts';
import {
  actorOf,
  agentActor,
  givenAdopted,
  givenAsked,
  givenBegunAction,
  onCallActor,
} from '../support/fixtures.ts';
import { placesOf } from '../support/places.ts';
import { describeWithServices, type TestServices } from '../support/services.ts';
import { openDesk } from './slack/support.ts';

const CANARY = 'canary-4111-1111';

async function givenLog(services: TestServices): Promise<void> {
  await givenAdopted(services);
  await givenBegunAction(services);
  await sequenceLog(services.db.sql);
}

describeWithServices('the log', (make) => {
  test('is append-only and chained, and says where it was changed', async () => {
    const services = await make();
    await givenLog(services);
    const { sql: db } = services.db;
    await appendEntry(db, { kind: 'test', at: services.clock.now(), actor: 'test', data: {} });
    for (const table of ['log_entry', 'log_entry_1', 'log_unnumbered']) {
      for (const statement of [
        sql`UPDATE ${sql.table(table)} SET kind = 'other'`,
        sql`DELETE FROM ${sql.table(table)}`,
        sql`TRUNCATE ${sql.table(table)} CASCADE`,
      ]) {
        await expect(statement.execute(db)).rejects.toThrow('append-only');
      }
    }
    await sequenceLog(db);
    const whole = await verifyLog(db);
    expect(whole).toMatchObject({ verified: true, tail: 0 });
    expect(whole.entries).toBeGreaterThan(5);

    const { rows } = await sql<{ body: string }>`SELECT body FROM log_entry WHERE seq = 3`.execute(db);
    const body = rows[0]?.body ?? '';
    await tampered(services, 'log_entry', async () => {
      await sql`UPDATE log_entry SET body = ${body.replace('"actor":"', '"actor":"not ')} WHERE seq = 3`.execute(
        db,
      );
    });
    expect(await verifyLog(db)).toMatchObject({ verified: false, fault: { seq: 3, fault: 'hash' } });
    await tampered(services, 'log_entry', async () => {
      await sql`UPDATE log_entry SET body = ${body} WHERE seq = 3`.execute(db);
    });
    expect(await verifyLog(db)).toMatchObject({ verified: true, head: whole.head });
    await tampered(services, 'log_entry', async () => {
      await sql`DELETE FROM log_entry WHERE seq = 4`.execute(db);
    });
    expect(await verifyLog(db)).toMatchObject({ verified: false, fault: { seq: 4, fault: 'missing' } });
  });

  test('what followed from something never stands before it, however late that was committed', async () => {
    const services = await make();
    const { sql: db } = services.db;
    const entry = (kind: string) => ({ kind, at: services.clock.now(), actor: 'test', data: {} });
    const sequencer = new Sequencer(db);
    const late = await services.db.openStop();
    await sql`BEGIN`.execute(late.sql);
    await appendEntry(late.sql, entry('asked'));
    await appendEntry(db, entry('another'));
    await sequencer.number();
    await sql`COMMIT`.execute(late.sql);
    await appendEntry(db, entry('begun'));
    await sequencer.number();
    await late.close();
    const rows = await db.selectFrom('log_entry').select('kind').orderBy('seq').execute();
    expect(rows.map(({ kind }) => kind)).toEqual(['another', 'asked', 'begun']);
  });

  test('still verifies after an erasure, and nothing of the subject is left', async () => {
    const services = await make();
    await givenAdopted(services);
    const { subject, ...of } = { subject: 'Ada Lovelace', args: { id: 'R-ADA' }, reason: 'Ada asked' };
    await givenAsked(services, { ...of, subject, links: ['https://crm.test/ada'] });
    const unknown = await givenBegunAction(services, { ...of, subject });
    const begun = await givenBegunAction(services, { ...of, subject });
    const other = await givenBegunAction(services, { args: { id: 'R-BOB' }, subject: 'Bob' });
    const done = { executionId: 'e-1', ok: true, result: { told: 'R-ADA' } };
    await completeAction(services, agentActor(), { id: other.id, ...done, result: {} });
    await disable(services, onCallActor(), { scope: 'agent/desk', reason: 'fire' });
    services.clock.advance(3_600_000);
    await sweepActions(services);
    await completeAction(services, agentActor(), { id: begun.id, ...done });
    expect(await placesOf(services, 'R-ADA', [])).toEqual(
      expect.arrayContaining(['action.summary', 'action_private.args', 'alert.facts']),
    );
    await sequenceLog(services.db.sql);
    const before = await verifyLog(services.db.sql);

    const admin = actorOf('admin');
    const { actions } = await eraseSubject(services, admin, { agent: 'desk', subject, reason: 'asked for' });
    expect(actions).toBe(3);
    await sequenceLog(services.db.sql);
    expect(await verifyLog(services.db.sql)).toMatchObject({ verified: true, entries: before.entries + 1 });
    // None is short enough to stand in a signature by chance.
    for (const text of ['R-ADA', subject, of.reason, 'crm.test'])
      expect(await placesOf(services, text, [])).toEqual([]);
    expect(await placesOf(services, 'R-BOB')).toContain('action.summary');
    expect(
      await services.db.sql.selectFrom('action').select('state').where('id', '=', unknown.id).execute(),
    ).toEqual([{ state: 'unknown' }]);
  });

  verifies(
    'never:secret-leaks',
    'a redacted argument, the bearer tokens and the minted credential stand in no table but the private one',
    async () => {
      const lines: string[] = [];
      const log = pino(
        { level: 'trace' },
        new Writable({
          write(chunk, _, done) {
            lines.push(String(chunk));
            done();
          },
        }),
      );
      const api = await givenApi((options) => make({ ...options, log }));
      const { app, services, as } = api;
      const answers: string[] = [];
      const send = async (...[line, options]: [Parameters<typeof call>[1], Parameters<typeof call>[2]]) => {
        const answer = await call(app, line, options);
        answers.push(answer.text);
        return answer.json;
      };
      const ask = (more: Record<string, unknown>) =>
        send('POST /v1/actions', {
          as: as.agent,
          body: askBody({ args: { id: 'R-1', card: CANARY }, ...more }),
        });
      const minted: string[] = [];
      for (const end of ['executed', 'failed', 'unknown']) {
        const { id, argsDigest } = await ask({});
        await send(`POST /v1/actions/${id}/decisions`, {
          as: as.ana,
          body: { verdict: 'approve', digest: argsDigest },
        });
        const begun = await call(app, `POST /v1/actions/${id}/begin`, {
          as: as.agent,
          body: { executionId: end },
        });
        minted.push(begun.json.credential.token);
        const body = { executionId: end, ok: end === 'executed', result: { card: CANARY } };
        if (end !== 'unknown') await send(`POST /v1/actions/${id}/complete`, { as: as.agent, body });
      }
      await ask({});
      await ask({ args: { id: 'R-1', card: { number: CANARY } } });
      await ask({ args: { id: 'R-1', card: CANARY, more: 1 } });
      await ask({ tool: 'nothing' });
      await send('PUT /v1/switches/agent/desk', { as: as.cleo, body: { disabled: true, reason: 'fire' } });
      services.clock.advance(3_600_000);
      await sweepActions(services);
      await send('POST /v1/actions', { headers: { authorization: `Bearer ${CANARY}` }, body: askBody() });

      const secrets = [CANARY, ...minted, ...Object.values(as).map(({ token }) => token)];
      const parts = secrets.flatMap((secret) => [secret, ...secret.split('.').slice(2)]);
      for (const secret of parts) {
        expect(await placesOf(services, secret)).toEqual([]);
        expect(lines.join('\n')).not.toContain(secret);
        expect(answers.join('\n')).not.toContain(secret);
      }
      // The search finds what is there.
      expect(await placesOf(services, CANARY, [])).toEqual(
        expect.arrayContaining(['action_private.args', 'action_private.result']),
      );
      await app.close();
    },
  );

  verifies(
    'never:secret-leaks',
    'a redacted argument reaches neither cards nor alerts in Slack',
    async () => {
      await using desk = await openDesk();
      const { action } = await desk.givenCard({ args: { id: 'R-1', card: CANARY } });
      await desk.cards.remindAction(action.id);
      expect(await placesOf(desk.services, CANARY)).toEqual([]);
      expect(JSON.stringify(desk.slack.calls())).not.toContain(CANARY);
      expect(JSON.stringify(desk.slack.calls())).toContain('[redacted]');
    },
  );

  test('jcs() equals RFC 8785 for documents whose numbers are integers', async () => {
    const services = await make();
    const text = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((one) => !one.includes('\0'));
    const key = fc.string({ unit: 'grapheme-ascii', maxLength: 8 });
    const { document } = fc.letrec((tie) => ({
      document: fc.oneof(
        { maxDepth: 4 },
        fc.maxSafeInteger(),
        fc.boolean(),
        fc.constant(null),
        text,
        fc.array(tie('document'), { maxLength: 5 }),
        fc.dictionary(key, tie('document'), { maxKeys: 5 }),
      ),
    }));
    await fc.assert(
      fc.asyncProperty(fc.array(document, { minLength: 20, maxLength: 40 }), async (documents) => {
        const { rows } = await sql<{ jcs: string }>`
          SELECT jcs(value) AS jcs FROM jsonb_array_elements(${JSON.stringify(documents)}::jsonb)`.execute(
          services.db.sql,
        );
        expect(rows.map(({ jcs }) => jcs)).toEqual(
          documents.map((one) => canonicalize(JSON.parse(JSON.stringify(one)))),
        );
      }),
      { numRuns: 50 },
    );
    const all = String.fromCharCode(...Array.from({ length: 127 }, (_, n) => n + 1), 0x2028, 0x2029, 0xfeff);
    const { rows } = await sql<{ jcs: string }>`SELECT jcs(${JSON.stringify({ all })}::jsonb) AS jcs`.execute(
      services.db.sql,
    );
    expect(rows[0]?.jcs).toBe(canonicalize({ all }));
    await expect(sql`SELECT jcs('{"n": 0.5}')`.execute(services.db.sql)).rejects.toThrow('integer');
  });
});

/** What somebody with the database's highest rights could do. */
async function tampered({ db }: Services, table: string, change: () => Promise<void>): Promise<void> {
  await sql`ALTER TABLE ${sql.table(table)} DISABLE TRIGGER USER`.execute(db.sql);
  await change();
  await sql`ALTER TABLE ${sql.table(table)} ENABLE TRIGGER USER`.execute(db.sql);
}
