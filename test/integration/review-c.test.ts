import { readdirSync, readFileSync } from 'node:fs';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { openDatabase } from '../../src/db/database.ts';
import { migrate } from '../../src/db/migrate.ts';
import { Worlds } from '../../src/agents/world.ts';
import { AskWriter } from '../../src/actions/ask-writer.ts';
import { ManualClock } from '../../src/clock.ts';
import { loadKeys } from '../../src/credentials/keys.ts';
import { beginAction } from '../../src/actions/begin.ts';
import { actionById } from '../../src/actions/store.ts';
import { agentActor, approverActor, givenAsked, agentFrom, releaseFrom, AGENT_YAML, RELEASE_YAML } from '../support/fixtures.ts';
import { approve, codeOf, deny, stateOf } from './approvals/support.ts';
import pino from 'pino';

const DIR = new URL('../../src/db/migrations/0001-init/', import.meta.url).pathname;

test('a database of 0.1.0', async () => {
  const db = await openDatabase({ folder: '', memory: true });
  for (const file of readdirSync(DIR).sort())
    for (const statement of readFileSync(DIR + file, 'utf8').split(/^---$/m)) await sql.raw(statement).execute(db.sql);
  await sql`CREATE TABLE kysely_migration (name varchar(255) not null primary key, timestamp varchar(255) not null)`.execute(db.sql);
  await sql`CREATE TABLE kysely_migration_lock (id varchar(255) not null primary key, is_locked integer default 0 not null)`.execute(db.sql);
  await sql`INSERT INTO kysely_migration VALUES ('0001-init', '2026-01-01')`.execute(db.sql);
  await sql`INSERT INTO kysely_migration_lock VALUES ('migration_lock', 0)`.execute(db.sql);
  const clock = new ManualClock();
  const now = clock.now();
  const agent: any = structuredClone(agentFrom(AGENT_YAML));
  for (const t of Object.values(agent.tools) as any[]) delete t.risks;
  delete agent.callback;
  const release: any = structuredClone(releaseFrom(RELEASE_YAML, agentFrom(AGENT_YAML)));
  for (const g of release.grants) { delete g.earn; if (typeof g.approval === 'object') g.approval = { group: g.approval.group, quorum: g.approval.quorum, expiresIn: g.approval.expiresIn }; }
  await sql`INSERT INTO agent (name, manifest, digest, definitions_digest, revision, applied_at, applied_by) VALUES ('desk', ${JSON.stringify(agent)}::jsonb, 'd', 'dd', 1, ${now}, 'olga')`.execute(db.sql);
  await sql`INSERT INTO agent_approver (agent, grp, person) VALUES ('desk', 'desk', 'ana'), ('desk', 'desk', 'ben')`.execute(db.sql);
  await sql`INSERT INTO release (agent, version, manifest, digest, created_at, created_by) VALUES ('desk', '1', ${JSON.stringify(release)}::jsonb, 'd', ${now}, 'olga')`.execute(db.sql);
  await sql`INSERT INTO in_force (agent, segment, release, since, because) VALUES ('desk', 'default', '1', ${now}, 'adopt'), ('desk', 'gold', '1', ${now}, 'adopt')`.execute(db.sql);
  await sql`INSERT INTO subject (agent, name, key) VALUES ('desk', 'g', '\\x00')`.execute(db.sql);
  const later = new Date(now.getTime() + 3_600_000);
  const ids: Record<string, string> = {};
  let n = 0;
  for (const [name, tool, state, decided, behind, approval] of [
    ['one', 'cancel', 'pending', null, 'ana', { group: 'desk', quorum: 1, expiresIn: '1h' }],
    ['two', 'refund', 'pending', null, null, { group: 'desk', quorum: 2, expiresIn: '2h', remindAfter: '30m' }],
    ['half', 'refund', 'pending', null, null, { group: 'desk', quorum: 2, expiresIn: '2h' }],
    ['done', 'cancel', 'approved', 'person', null, { group: 'desk', quorum: 1, expiresIn: '1h' }],
    ['auto', 'cancel', 'approved', 'policy', null, null],
  ] as any[]) {
    const id = `00000000-0000-4000-8000-00000000000${++n}`;
    ids[name] = id;
    await sql`INSERT INTO action (id, agent, idempotency_key, request_digest, agent_version, tool, kind, segment, arm, release, epoch, grant_name, state, decided_by, reasons, args_digest, subject_id, subject_digest, summary, behind, approval, credential, asked_at, asked_by, expires_at, remind_at, decided_at)
      VALUES (${id}, 'desk', ${name}, 'r', '1', ${tool}, 'write', 'gold', 'control', '1', 1, ${tool + '-2'}, ${state}, ${decided}, '[]', ${'a'.repeat(64)}, 1, 's', 'sum', ${behind}, ${approval && JSON.stringify(approval)}::jsonb, '{"scopes":["order:cancel"],"audience":"desk","ttlMs":60000}', ${now}, 'token', ${later}, ${later}, ${decided ? now : null})`.execute(db.sql);
    await sql`INSERT INTO action_private (action_id, args, context, salt) VALUES (${id}, ${tool === 'refund' ? '{"amount":5}' : '{"id":"R-1"}'}, '{}', '\\x0102')`.execute(db.sql);
  }
  for (const id of [ids.half, ids.done]) await sql`INSERT INTO decision (action_id, person, verdict, at, via, identity) VALUES (${id}, 'ana', 'approve', ${now}, 'slack', 'x')`.execute(db.sql);
  await migrate(db);
  const services: any = { db, clock, dayMs: 86_400_000, keys: await loadKeys(db.sql), worlds: new Worlds(db.sql), asks: new AskWriter(db.sql, clock), log: pino({ level: 'silent' }), publicUrl: 'http://x', wake() {} };
  const a = await actionById(db.sql, ids.one!);
  expect(a.behind).toEqual(['ana']);
  expect(await codeOf(approve(services, a, 'ana'))).toBe('requester');
  expect(await codeOf(approve(services, a, 'ben'))).toBe('none');
  expect(await stateOf(services, a)).toBe('approved');
  const two = await actionById(db.sql, ids.two!);
  await approve(services, two, 'ana'); await approve(services, two, 'ben');
  expect(await stateOf(services, two)).toBe('approved');
  const half = await actionById(db.sql, ids.half!);
  await approve(services, half, 'ben');
  expect(await stateOf(services, half)).toBe('approved');
  for (const id of [ids.one, ids.two, ids.half, ids.done, ids.auto])
    expect([id, await codeOf(beginAction(services, agentActor(), { id: id!, executionId: 'e' }))]).toEqual([id, 'none']);
  const asked = await givenAsked(services, {});
  expect(asked.outcome).toBe('pending');
  await deny(services, asked.action, 'ana');
  const refund = await givenAsked(services, { tool: 'refund', args: { amount: 3 } });
  await approve(services, refund.action, 'ana'); await approve(services, refund.action, 'ben');
  expect(await stateOf(services, refund.action)).toBe('approved');
  await db.close();
});
