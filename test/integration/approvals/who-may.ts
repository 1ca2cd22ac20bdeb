import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { applyAgent } from '../../../src/agents/apply.ts';
import { readEligibility } from '../../../src/approvals/eligibility.ts';
import { lockToDecide } from '../../../src/approvals/to-answer.ts';
import {
  BREAK_GLASS_SLOT,
  type Eligibility,
  rightToApprove,
  rightToBreakGlass,
  slotOf,
} from '../../../src/domain/approval/approval.ts';
import type { ActionRow } from '../../../src/records/action.ts';
import {
  agentActor,
  agentFrom,
  approverActor,
  givenAdopted,
  givenAsked,
  managerActor,
} from '../../support/fixtures.ts';
import type { TestServices } from '../../support/services.ts';

/** Minutes from now; `null`: without end. */
type Minute = number | null;

/** Everything that who may approve depends on. The groups: "desk" is written down, "live" is read from Slack. */
export interface World {
  testMode?: boolean;
  owners?: string[];
  deployers?: string[];
  people?: Record<string, { email?: string; slack?: string; name?: string }>;
  desk?: string[];
  live?: { person: string; from?: Minute; until?: Minute }[];
  /** Until when the members of "live" count; `never`: they were never read. */
  fresh?: number | 'never';
  deputies?: Lent[];
  editors?: string[];
  behind?: string[];
  askedBy?: string;
  /** Groups that may answer as well, in which stage. */
  routed?: { group: string; stage: number }[];
}

export interface Lent {
  from: string;
  to: string;
  group?: string;
  starts?: number;
  ends?: number;
  revoked?: boolean;
}

/** "I answer by this group, for somebody, as their deputy." */
export interface Claim {
  person: string;
  for?: string;
  /** Which of the world's deputies. */
  deputy?: number;
  group: 'live' | 'desk' | 'leads' | 'emergency';
  glass?: boolean;
}

export type Verdict = 'holds' | 'group_stale' | 'approver_lost_standing';

const PEOPLE = ['olga', 'dora', 'ana', 'ben', 'cleo', 'dave'];
const MINUTE_MS = 60_000;

const manifestOf = (world: World) =>
  agentFrom(
    JSON.stringify({
      agent: 'desk',
      testMode: world.testMode ?? false,
      people: world.people ?? Object.fromEntries([...PEOPLE, 'zoe'].map((person) => [person, {}])),
      owners: world.owners ?? ['olga'],
      deployers: world.deployers ?? ['dora'],
      approvers: {
        desk: [...(world.desk ?? ['ana', 'ben']), 'zoe'],
        live: { slackGroup: 'S0LIVE' },
        leads: ['cleo', 'zoe'],
        emergency: ['dave', 'zoe'],
      },
      tools: { pay: { kind: 'write' }, wire: { kind: 'write' } },
    }),
  );

const RELEASE_YAML = `agent: desk
release: 1
grants:
  - { tool: pay, approval: { group: live, breakGlass: emergency } }
  - { tool: wire, approval: { group: desk, breakGlass: emergency } }
`;

/** An agent whose \`pay\` asks "live" and whose \`wire\` asks "desk"; either glass is broken by "emergency". */
export const givenGroups = (services: TestServices) =>
  givenAdopted(services, { agentYaml: JSON.stringify(manifestOf({})), releaseYaml: RELEASE_YAML });

/** One action that waits in this world. */
export async function givenWorld(
  services: TestServices,
  world: World,
  tool: 'pay' | 'wire',
): Promise<{ action: ActionRow; deputies: string[] }> {
  const { db, clock } = services;
  const at = (minutes: Minute | undefined) =>
    minutes == null ? null : new Date(clock.now().getTime() + minutes * MINUTE_MS);
  for (const table of ['deputy', 'group_source'] as const) await db.sql.deleteFrom(table).execute();
  const asker = { ...agentActor(), ...(world.askedBy ? { id: world.askedBy } : {}) };
  const { action } = await givenAsked(services, { tool, args: {}, behind: world.behind ?? [] }, asker);
  await applyAgent(services, managerActor(), manifestOf(world));
  await db.sql.deleteFrom('agent_approver').where('grp', '=', 'live').execute();
  for (const { person, from, until } of world.live ?? [])
    await db.sql
      .insertInto('agent_approver')
      .values({ agent: 'desk', grp: 'live', person, from_at: at(from), until_at: at(until), via: 'slack' })
      .execute();
  if (world.fresh !== 'never')
    await db.sql
      .insertInto('group_source')
      .values({
        agent: 'desk',
        grp: 'live',
        kind: 'slack',
        fetched_at: clock.now(),
        error: null,
        unknown: '[]',
        fresh_until: at(world.fresh ?? 60),
      })
      .execute();
  const deputies = await Promise.all((world.deputies ?? []).map((one) => insertDeputy(services, one, at)));
  for (const [n, editor] of (world.editors ?? []).entries())
    await sql`INSERT INTO action_edit (action_id, round, editor, at, via, identity, digest_before)
      VALUES (${action.id}, ${n + 1}, ${editor}, ${clock.now()}, 'web', 'test', 'd')`.execute(db.sql);
  const routed = (world.routed ?? []).map((one) => ({
    ...one,
    because: 'unanswered',
    at: clock.now().toISOString(),
  }));
  const changed = await db.sql
    .updateTable('action')
    .set({ routed: JSON.stringify(routed), round: world.editors?.length ?? 0 })
    .where('id', '=', action.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  return { action: changed, deputies };
}

async function insertDeputy(
  { db, clock }: TestServices,
  { from, to, group, starts = -60, ends = 60, revoked }: Lent,
  at: (minutes: Minute) => Date | null,
): Promise<string> {
  const id = randomUUID();
  await sql`INSERT INTO deputy (id, agent, from_person, to_person, grp, starts_at, ends_at, reason, created_at, created_by,
      revoked_at) VALUES (${id}, 'desk', ${from}, ${to}, ${group ?? null}, ${at(starts)}, ${at(ends)}, 'away',
      ${clock.now()}, ${from}, ${revoked ? clock.now() : null})`.execute(db.sql);
  return id;
}

/** What the rule of the domain says of each claim: before and under the lock, which read the world differently. */
export async function byDomain(
  { db, clock }: TestServices,
  { action, deputies }: { action: ActionRow; deputies: string[] },
  claims: readonly Claim[],
): Promise<{ read: Verdict; locked: Verdict }[]> {
  const read = await readEligibility(db.sql, action, clock.now());
  const locked = new Map<string, Eligibility>();
  for (const person of new Set(claims.map((claim) => claim.person))) {
    const held = await db.sql
      .transaction()
      .execute((tx) => lockToDecide(tx, clock, approverActor(person), { id: action.id }));
    locked.set(person, held.eligibility);
  }
  return claims.map((claim) => {
    const deputy = claim.deputy === undefined ? undefined : deputies[claim.deputy];
    const under = locked.get(claim.person);
    if (!under) throw new Error(`nothing was read of ${claim.person}`);
    return { read: judged(claim, deputy, read, action), locked: judged(claim, deputy, under, action) };
  });
}

/** The right that is claimed and no other: what else the person might answer by is left out. */
function judged(claim: Claim, deputy: string | undefined, all: Eligibility, action: ActionRow): Verdict {
  const whose = claim.for ?? claim.person;
  const eligibility: Eligibility = {
    ...all,
    members: all.members.filter(({ group, person }) => group === claim.group && person === whose),
    deputies: all.deputies.filter(({ id }) => id === deputy),
    stale: all.stale.filter((group) => group === claim.group),
  };
  const answer = claim.glass
    ? rightToBreakGlass(claim.person, eligibility, action)
    : rightToApprove(claim.person, eligibility, action);
  if ('refusal' in answer)
    return answer.refusal.because === 'group_stale' ? 'group_stale' : 'approver_lost_standing';
  return answer.right.for === whose ? 'holds' : 'approver_lost_standing';
}

/** What the store says of an approval that was given by each claim: each is the only answer of a round of its own. */
export async function byStore(
  { db, clock }: TestServices,
  { action, deputies }: { action: ActionRow; deputies: string[] },
  claims: readonly Claim[],
): Promise<Verdict[]> {
  const asked = slotOf(0, action.approval?.stages[0]?.[0]?.group ?? '');
  const now = clock.now();
  const given = claims.map((claim, n) => ({
    action_id: action.id,
    round: 100 + n,
    stage: 0,
    person: claim.person,
    for_person: claim.for ?? claim.person,
    deputy_id: claim.deputy === undefined ? null : (deputies[claim.deputy] ?? null),
    options: '[]',
    slot: claim.glass ? BREAK_GLASS_SLOT : asked,
    grp: claim.group,
    shown_at: null,
    verdict: 'approve' as const,
    at: now,
    via: 'web',
    identity: 'test',
    seen_revision: null,
    seen_digest: null,
    reason: null,
  }));
  await db.sql.insertInto('decision').values(given).execute();
  const { rows } = await sql<{ verdict: Verdict }>`
    SELECT approvers_hold(action_id, round, slot = ${BREAK_GLASS_SLOT}, ${now}) AS verdict FROM decision
    WHERE action_id = ${action.id} ORDER BY round`.execute(db.sql);
  return rows.map(({ verdict }) => verdict);
}
