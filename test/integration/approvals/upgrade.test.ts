import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { beginAction } from '../../../src/actions/begin.ts';
import { ManualClock } from '../../../src/clock.ts';
import type { Database } from '../../../src/db/database.ts';
import { migrate } from '../../../src/db/migrate.ts';
import { actionById } from '../../../src/records/action.ts';
import {
  AGENT_YAML,
  agentActor,
  agentFrom,
  givenAsked,
  RELEASE_YAML,
  releaseFrom,
} from '../../support/fixtures.ts';
import { openOldStore } from '../../support/old-store.ts';
import { servicesOver } from '../../support/services.ts';
import { approve, codeOf, stateOf } from './support.ts';

const HOUR_MS = 3_600_000;
const ONE = { group: 'desk', quorum: 1, expiresIn: '1h' };
const TWO = { group: 'desk', quorum: 2, expiresIn: '2h', remindAfter: '30m' };
const idOf = (n: number) => `00000000-0000-4000-8000-00000000000${n}`;

/** Manifests as 0.1.0 stored them: nothing of what came later is in them. */
async function givenOldManifests(db: Database, now: Date): Promise<void> {
  const agent = agentFrom(AGENT_YAML);
  const release = releaseFrom(RELEASE_YAML, agent);
  const tools = Object.entries(agent.tools).map(([name, { risks: _, ...tool }]) => [name, tool]);
  const grants = release.grants.map((grant) => {
    if (typeof grant.approval !== 'object') return grant;
    const { group, quorum, expiresIn } = grant.approval;
    return { ...grant, approval: { group, quorum, expiresIn } };
  });
  const manifest = JSON.stringify({ ...agent, tools: Object.fromEntries(tools) });
  await sql`INSERT INTO agent (name, manifest, digest, definitions_digest, revision, applied_at, applied_by)
    VALUES ('desk', ${manifest}::jsonb, 'd', 'dd', 1, ${now}, 'olga')`.execute(db.sql);
  await sql`INSERT INTO agent_approver (agent, grp, person)
    VALUES ('desk', 'desk', 'ana'), ('desk', 'desk', 'ben')`.execute(db.sql);
  await sql`INSERT INTO release (agent, version, manifest, digest, created_at, created_by)
    VALUES ('desk', '1', ${JSON.stringify({ ...release, grants })}::jsonb, 'd', ${now}, 'olga')`.execute(
    db.sql,
  );
  await sql`INSERT INTO in_force (agent, segment, release, since, because) VALUES
    ('desk', 'default', '1', ${now}, 'adopt'), ('desk', 'gold', '1', ${now}, 'adopt')`.execute(db.sql);
  await sql`INSERT INTO subject (agent, name, key) VALUES ('desk', 'guest-1', '\\x00')`.execute(db.sql);
}

async function givenOldAction(
  db: Database,
  now: Date,
  n: number,
  { tool, decided, behind, approval }: { tool: string; decided?: string; behind?: string; approval?: object },
): Promise<string> {
  const later = new Date(now.getTime() + HOUR_MS);
  await sql`INSERT INTO action (id, agent, idempotency_key, request_digest, agent_version, tool, kind, segment, release,
      epoch, grant_name, state, decided_by, reasons, args_digest, subject_id, subject_digest, summary, behind, approval,
      credential, asked_at, asked_by, expires_at, remind_at, decided_at)
    VALUES (${idOf(n)}, 'desk', ${`key-${n}`}, 'r', '1', ${tool}, 'write', 'gold', '1', 1, ${`${tool}-2`},
      ${decided ? 'approved' : 'pending'}, ${decided ?? null}, '[]', ${'a'.repeat(64)}, 1, 's', 'sum', ${behind ?? null},
      ${approval ? JSON.stringify(approval) : null}::jsonb, '{"scopes":[],"audience":"desk","ttlMs":60000}', ${now},
      'token', ${later}, ${later}, ${decided ? now : null})`.execute(db.sql);
  const args = tool === 'refund' ? '{"amount":5}' : '{"id":"R-1"}';
  await sql`INSERT INTO action_private (action_id, args, context, salt)
    VALUES (${idOf(n)}, ${args}, '{}', '\\x0102')`.execute(db.sql);
  return idOf(n);
}

test('what 0.1.0 left waiting is answered, what it approved begins, and its manifests decide', async () => {
  const old = await openOldStore('0001-init');
  const { db } = old;
  const clock = new ManualClock();
  const now = clock.now();
  await givenOldManifests(db, now);
  const asked = await givenOldAction(db, now, 1, { tool: 'cancel', behind: 'ana', approval: ONE });
  const two = await givenOldAction(db, now, 2, { tool: 'refund', approval: TWO });
  const half = await givenOldAction(db, now, 3, { tool: 'refund', approval: TWO });
  const done = await givenOldAction(db, now, 4, { tool: 'cancel', decided: 'person', approval: ONE });
  const auto = await givenOldAction(db, now, 5, { tool: 'cancel', decided: 'policy' });
  for (const id of [half, done])
    await sql`INSERT INTO decision (action_id, person, verdict, at, via, identity)
      VALUES (${id}, 'ana', 'approve', ${now}, 'slack', 'x')`.execute(db.sql);
  await migrate(db);
  const services = await servicesOver(old, { clock });

  expect(await actionById(db.sql, asked)).toMatchObject({ behind: ['ana'], behind_keys: ['ana'] });
  expect(await codeOf(approve(services, { id: asked }, 'ana'))).toBe('requester');
  await approve(services, { id: asked }, 'ben');
  await approve(services, { id: two }, 'ana');
  expect(await stateOf(services, { id: two })).toBe('pending');
  await approve(services, { id: two }, 'ben');
  // One of its two answered before the upgrade, and is not asked again.
  await approve(services, { id: half }, 'ben');
  for (const id of [asked, two, half, done, auto])
    expect(await codeOf(beginAction(services, agentActor(), { id, executionId: 'e' })), id).toBe('none');
  const fresh = await givenAsked(services, { tool: 'refund', args: { amount: 3 } });
  await approve(services, fresh.action, 'ana');
  await approve(services, fresh.action, 'ben');
  expect(await stateOf(services, fresh.action)).toBe('approved');
  await services.close();
});
