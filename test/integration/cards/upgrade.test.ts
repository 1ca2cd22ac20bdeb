import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { actionCard } from '../../../src/cards/action-card.ts';
import { visibleText } from '../../../src/cards/blocks/visible.ts';
import { cardVersion, readCardFacts } from '../../../src/cards/card-facts.ts';
import { ManualClock } from '../../../src/clock.ts';
import { migrate } from '../../../src/db/migrate.ts';
import { askedOf } from '../../../src/reaching/asked.ts';
import { recordReach } from '../../../src/reaching/record-reach.ts';
import { actionById } from '../../../src/records/action.ts';
import { eraseSubject } from '../../../src/subjects/erase.ts';
import { AGENT_YAML, actorOf, agentFrom, RELEASE_YAML, releaseFrom } from '../../support/fixtures.ts';
import { openOldStore } from '../../support/old-store.ts';
import { servicesOver, type TestServices } from '../../support/services.ts';
import { answer } from '../approvals/people.ts';

const clock = new ManualClock();
const START = clock.now();
const at = (minute: number) => new Date(START.getTime() + minute * 60_000);
const idOf = (n: number) => `00000000-0000-4000-8000-0000000000${String(n).padStart(2, '0')}`;
const TWO_STAGES = {
  ...releaseFrom(RELEASE_YAML, agentFrom(AGENT_YAML)).grants.flatMap(({ approval }) =>
    typeof approval === 'object' ? [approval] : [],
  )[0],
  stages: [[{ group: 'desk', quorum: 1 }], [{ group: 'desk', quorum: 1 }]],
};

let old: Awaited<ReturnType<typeof openOldStore>>;
let services: TestServices;

interface Old {
  state?: string;
  round?: number;
  stage?: number;
  approval?: object | null;
  because?: string;
  erased?: boolean;
}

/** What stands in an old store of an action: its row, what is kept apart, and its entries, each a minute later. */
async function given(
  n: number,
  { approval = TWO_STAGES, ...one }: Old,
  entries: [string, string, object?][],
) {
  const db = old.db.sql;
  const later = at(600);
  await sql`INSERT INTO action (id, agent, idempotency_key, request_digest, agent_version, tool, kind, segment, release,
      epoch, grant_name, state, decided_by, superseded_because, reasons, args_digest, subject_id, subject_digest, summary,
      approval, credential, asked_at, asked_by, expires_at, remind_at, round, stage)
    VALUES (${idOf(n)}, 'desk', ${`key-${n}`}, 'r', '1', 'cancel', 'write', 'gold', '1', 1, 'cancel-2',
      ${one.state ?? 'pending'}, ${approval === null ? 'policy' : null}, ${one.because ?? null}, '[]', ${'a'.repeat(64)},
      ${one.erased ? null : sql`(SELECT id FROM subject WHERE name = 'ada')`}, 's', 'Cancel it',
      ${approval && JSON.stringify(approval)}::jsonb, '{"scopes":[],"audience":"desk","ttlMs":60000}', ${at(0)}, 'token',
      ${later}, ${later}, ${one.round ?? 0}, ${one.stage ?? 0})`.execute(db);
  if (!one.erased)
    await sql`INSERT INTO action_private (action_id, args, context, salt)
      VALUES (${idOf(n)}, '{"id":"R-1"}', '{}', '\\x0102')`.execute(db);
  for (const [minute, [kind, actor, data]] of entries.entries())
    await sql`SELECT log_append(${kind}, 'desk', ${idOf(n)}, ${at(minute)}, ${actor},
      ${JSON.stringify(data ?? {})}::jsonb)`.execute(db);
}

beforeAll(async () => {
  old = await openOldStore('0002-approvals');
  const db = old.db.sql;
  const agent = agentFrom(AGENT_YAML);
  const release = releaseFrom(RELEASE_YAML, agent);
  await sql`INSERT INTO agent (name, manifest, digest, definitions_digest, revision, applied_at, applied_by)
    VALUES ('desk', ${JSON.stringify(agent)}::jsonb, 'd', 'dd', 1, ${START}, 'olga')`.execute(db);
  await sql`INSERT INTO agent_approver (agent, grp, person)
    VALUES ('desk', 'desk', 'ana'), ('desk', 'desk', 'ben')`.execute(db);
  await sql`INSERT INTO release (agent, version, manifest, digest, created_at, created_by)
    VALUES ('desk', '1', ${JSON.stringify(release)}::jsonb, 'd', ${START}, 'olga')`.execute(db);
  await sql`INSERT INTO in_force (agent, segment, release, since, because) VALUES
    ('desk', 'default', '1', ${START}, 'adopt'), ('desk', 'gold', '1', ${START}, 'adopt')`.execute(db);
  await sql`INSERT INTO subject (agent, name, key) VALUES ('desk', 'ada', '\\x00')`.execute(db);
  await given(1, { stage: 1 }, [
    ['action.asked', 'token'],
    ['action.reach', 'follower', { state: 'delivered', people: ['ana'], told: { ana: ['page'] } }],
    ['action.decision', 'ana'],
    ['action.stage', 'ana', { stage: 1 }],
    ['action.reach', 'follower', { state: 'unreached', people: [], told: {}, alert: 'action.unreached' }],
    ['action.reach', 'follower', { state: 'delivered', people: ['ben'], told: { ben: ['channel'] } }],
    ['action.reach', 'follower', { state: 'delivered', people: ['ben'], told: { ben: ['channel', 'dm'] } }],
    ['credential.issued', 'policy'],
  ]);
  await sql`UPDATE action SET reach = '{"state":"delivered","people":["ben"],"at":"2026-03-02T10:00:00Z"}'
    WHERE id = ${idOf(1)}`.execute(db);
  await given(2, { round: 1 }, [
    ['action.asked', 'token'],
    ['action.edited', 'ana'],
  ]);
  await given(3, { state: 'approved' }, [
    ['action.asked', 'token'],
    ['action.approved', 'ana'],
  ]);
  await sql`INSERT INTO standing_approval (id, agent, tool, grant_name, release, segment, arm, action_id, round, envelope,
      max_uses, used, starts_at, expires_at, created_by, ended_at, ended_because)
    VALUES (${idOf(33)}, 'desk', 'cancel', 'cancel-2', '1', 'gold', 'control', ${idOf(3)}, 0, 'args.id == "R-1"', 5, 3,
      ${at(1)}, ${at(60)}, 'ana', ${at(2)}, 'revoked')`.execute(db);
  await given(4, { state: 'withdrawn' }, [
    ['action.asked', 'token'],
    ['action.withdrawn', 'token agent', { reason: 'Ada called' }],
  ]);
  await given(5, { state: 'superseded', because: 'rolled_back' }, [
    ['action.asked', 'token'],
    ['action.superseded', 'judge', { because: 'rolled_back' }],
  ]);
  await given(6, { state: 'disabled' }, [
    ['action.asked', 'token'],
    ['action.disabled', 'olga', { because: 'fire in the hall' }],
  ]);
  await given(7, { state: 'expired' }, [
    ['action.asked', 'token'],
    ['action.expired', 'sweeper'],
  ]);
  await given(8, { state: 'withdrawn', erased: true }, [
    ['action.asked', 'token'],
    ['action.withdrawn', 'token agent', { reason: 'the erased one called' }],
  ]);
  await given(9, { state: 'executed', approval: null }, [['action.asked', 'token']]);
  await given(10, { state: 'unknown', approval: null }, [
    ['action.asked', 'token'],
    ['action.begun', 'token'],
    ['action.unknown', 'sweeper'],
  ]);
  await sql`INSERT INTO card (channel, ts, ref, revision, posted_at) VALUES
    ('C0DESK', '1.1', ${idOf(1)}, 14, ${at(4)}), ('C0DESK', '1.2', ${idOf(10)}, 6, ${at(4)})`.execute(db);
  await sql`INSERT INTO card_text (action_id, version, text) VALUES (${idOf(1)}, 14, 'as it was')`.execute(
    db,
  );
  await migrate(old.db);
  services = await servicesOver(old, { clock });
});
afterAll(() => services.close());

const row = (n: number) => actionById(services.db.sql, idOf(n));
const shown = async (n: number) => visibleText(actionCard(await readCardFacts(services, idOf(n))));

test('versions go on from where they were counted', async () => {
  // Twice the entries about it and what happened to standing approvals, and one more once it is erased.
  const expected = { 1: 14, 2: 4, 3: 2 * (2 + 1 + 3 + 1), 4: 4, 5: 4, 6: 4, 7: 4, 8: 5, 9: 1, 10: 6 };
  for (const [n, version] of Object.entries(expected))
    expect(await cardVersion(services.db.sql, idOf(Number(n))), n).toBe(version);
});

test('how each ended stands in its row, and on its card', async () => {
  const ended = { ended_at: at(1), ended_because: null };
  expect(await row(4)).toMatchObject({ ...ended, ended_by: 'token agent', withdraw_reason: 'Ada called' });
  expect(await row(5)).toMatchObject({ ...ended, ended_by: 'judge', superseded_because: 'rolled_back' });
  expect(await row(6)).toMatchObject({ ...ended, ended_by: 'olga', ended_because: 'fire in the hall' });
  expect(await row(7)).toMatchObject({ ...ended, ended_by: 'sweeper' });
  expect(await row(3)).toMatchObject({ ended_at: null, ended_by: null });
  expect(await shown(4)).toMatch(/Withdrawn by the agent 20.* UTC: Ada called/);
  expect(await shown(5)).toMatch(/Void 20.* UTC: the permission it was asked under was rolled back/);
  expect(await shown(6)).toMatch(/Switched off by Olga 20.* UTC: fire in the hall/);
  expect(await shown(7)).toMatch(/Expired unanswered/);
});

test('when the open stage opened, who was told in it, and that on-call was', async () => {
  expect(await row(1)).toMatchObject({ stage_opened_at: at(3) });
  expect(await row(2)).toMatchObject({ stage_opened_at: at(1) });
  expect(await row(9)).toMatchObject({ stage_opened_at: null });
  const asked = await askedOf(services.db.sql, await row(1), at(10));
  expect(asked).toEqual([
    { person: 'ana', groups: ['desk'], because: 'asked', told: [] },
    {
      person: 'ben',
      groups: ['desk'],
      because: 'asked',
      told: ['channel', 'dm'],
      at: at(5).toISOString(),
    },
  ]);
  const alerts = () => services.db.sql.selectFrom('alert').select('kind').execute();
  const away = { state: 'unreached', told: {}, problem: 'away' } as const;
  await recordReach(services, await row(1), { ...away, alert: 'action.unreached' });
  expect(await alerts()).toEqual([]);
  await recordReach(services, await row(2), { ...away, alert: 'action.unreached' });
  expect(await alerts()).toEqual([{ kind: 'action.unreached' }]);
});

test('what was open is answered, and its card is of a later version than any it was shown in', async () => {
  const before = await cardVersion(services.db.sql, idOf(1));
  await answer(services, { id: idOf(1) }, 'ben');
  expect(await row(1)).toMatchObject({ state: 'approved' });
  expect(await cardVersion(services.db.sql, idOf(1))).toBeGreaterThan(before);
});

test('the words of an agent on what was erased stay in the log alone, and go with an erasure', async () => {
  expect(await row(8)).toMatchObject({ ended_by: 'token agent', withdraw_reason: null, ended_because: null });
  await eraseSubject(services, actorOf('admin'), { agent: 'desk', subject: 'ada', reason: 'asked' });
  expect(JSON.stringify(await row(4))).not.toContain('Ada');
  expect(await shown(4)).toMatch(/Withdrawn by the agent 20.* UTC$/m);
});
