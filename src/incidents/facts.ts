import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import { hindsightOf, wouldHaveBreached } from '../domain/evidence/hindsight.ts';
import type { ActionFacts } from '../domain/incident/findings.ts';
import { type ActionRow, privateOf } from '../records/action.ts';
import { ripeBefore, rolloutById } from '../records/rollout.ts';
import type { VerdictRecord } from '../records/verdict.ts';
import type { Services } from '../services.ts';

const SEQUENCE_MAX = 200;
/** Stops between asking and landing that are looked at: the first that covers it decides. */
const STOPS_MAX = 100;

/**
 * What the records say of an action, for the tests of the mechanisms. Each look is by an index and bounded; to be asked
 * before the transaction that needs it, so that it holds nothing up.
 */
export async function factsOf(
  { db, worlds }: Pick<Services, 'db' | 'worlds'>,
  action: ActionRow,
  { wronglyStopped, effect }: Pick<ActionFacts, 'wronglyStopped' | 'effect'>,
): Promise<ActionFacts> {
  const begun = action.began_at !== null;
  return {
    action: action.id,
    begun,
    effect,
    wronglyStopped,
    decidedBy: action.decided_by,
    reasons: action.reasons.map(({ code }) => code),
    ...(begun && {
      ...(await howItBegan(db.sql, action)),
      ...(await stopsAround(db.sql, action)),
      sequence: await sequenceOf(db.sql, action),
      verdicts: await verdictsOf(db.sql, action),
    }),
    ...(await definitionsOf({ db, worlds }, action)),
  };
}

async function howItBegan(db: Sql, action: ActionRow): Promise<Partial<ActionFacts>> {
  const { rows } = await sql<{ confirmed: boolean; minted: number | null; granted: unknown }>`
    SELECT is_confirmed(a) AS confirmed,
      (SELECT max(extract(epoch FROM c.expires_at - c.issued_at) * 1000)::int FROM credential c WHERE c.action_id = a.id)
        AS minted,
      (SELECT g -> 'credential' FROM release r, jsonb_array_elements(r.manifest -> 'grants') AS g
        WHERE r.agent = a.agent AND r.version = a.release AND g ->> 'name' = a.grant_name LIMIT 1) AS granted
    FROM action a WHERE a.id = ${action.id}`.execute(db);
  const [row] = rows;
  if (!row) return {};
  const spec = action.credential;
  const granted = (row.granted as { scopes?: string[] } | null)?.scopes;
  return {
    confirmed: row.confirmed,
    ...(spec && granted && { scopes: { minted: spec.scopes, granted } }),
    ...(spec && row.minted !== null && { lifetime: { minted: row.minted, granted: spec.ttlMs } }),
  };
}

/** What was asked before a stop that covers it neither begins nor lands after it, beyond the life of its credential. */
async function stopsAround(db: Sql, action: ActionRow): Promise<Partial<ActionFacts>> {
  const { rows } = await sql<{ kind: string; at: Date; before: boolean; landed: boolean }>`
    SELECT v.kind, v.at, v.at < ${action.began_at} AS before,
      ${action.completed_at} > greatest(v.at, coalesce((SELECT max(c.expires_at) FROM credential c
        WHERE c.action_id = ${action.id}), v.at)) AS landed
    FROM revocation v
    WHERE v.at >= ${action.asked_at} AND v.at <= ${action.completed_at ?? action.began_at} AND v.kind IN ('switch', 'rollback')
      AND v.epoch > ${action.epoch} AND ${action.kind} = ANY (v.kinds)
      AND coalesce(v.agent, ${action.agent}) = ${action.agent} AND coalesce(v.tool, ${action.tool}) = ${action.tool}
      AND coalesce(v.segment, ${action.segment}, '') = coalesce(${action.segment}, '')
      AND (v.rollout_id IS NULL OR (v.rollout_id = ${action.rollout_id} AND coalesce(v.arm, ${action.arm}) = ${action.arm}))
    ORDER BY v.at LIMIT ${STOPS_MAX}`.execute(db);
  const words = ({ kind, at }: (typeof rows)[number]) =>
    `the ${kind === 'switch' ? 'stop' : 'rollback'} of ${at.toISOString()}`;
  const before = rows.find((row) => row.before);
  const landed = rows.find((row) => row.landed);
  return {
    ...(before && { stoppedBefore: words(before) }),
    ...(landed && { landedAfter: words(landed) }),
  };
}

/** Begun writes of its tool for its subject in the day before it, itself among them. */
async function sequenceOf(db: Sql, action: ActionRow): Promise<ActionFacts['sequence']> {
  if (action.subject_id === null) return undefined;
  const { rows } = await sql<{ writes: number }>`
    SELECT count(*)::int AS writes FROM (SELECT 1 FROM action a WHERE a.subject_id = ${action.subject_id}
      AND a.id BETWEEN lowest_id(${action.asked_at}::timestamptz - interval '24 hours') AND ${action.id} AND a.tool = ${action.tool}
      AND a.began_at IS NOT NULL LIMIT ${SEQUENCE_MAX}) AS one`.execute(db);
  const tolerated = action.limits.perDay;
  return { writes: rows[0]?.writes ?? 0, ...(tolerated !== undefined && { tolerated }) };
}

/**
 * No verdict that takes the segment back was recorded before it began, or it could not have begun: whether there would have been
 * one by the days that were ripe then, had been known of them what is known now.
 */
async function verdictsOf(db: Sql, action: ActionRow): Promise<ActionFacts['verdicts']> {
  const { rollout_id, segment, generation, began_at } = action;
  if (rollout_id === null || segment === null || generation === null || began_at === null) return undefined;
  if (action.arm !== 'candidate') return undefined;
  const rollout = await rolloutById(db, rollout_id);
  const rows = await db
    .selectFrom('verdict')
    .select(['metric', 'record'])
    .where('rollout_id', '=', rollout_id)
    .where('segment', '=', segment)
    .where('generation', '=', generation)
    .execute();
  const takesBack = ({ metric }: { metric: string }) =>
    rollout.plan.guardrails.some(
      (one) => one.metric === metric && one.action === 'rollback' && one.on?.breach !== 'hold',
    );
  const would = rows
    .filter(takesBack)
    .map(({ metric, record }) =>
      wouldHaveBreached(record as unknown as VerdictRecord, ripeBefore(rollout, metric, began_at)),
    );
  return hindsightOf(would);
}

/** Its segment is found again only where the manifest is the one it was judged by, and its attributes are kept. */
async function definitionsOf(
  { db, worlds }: Pick<Services, 'db' | 'worlds'>,
  action: ActionRow,
): Promise<Partial<ActionFacts>> {
  const row = await db.sql
    .selectFrom('agent')
    .leftJoin('rollout', (join) => join.on('rollout.id', '=', action.rollout_id ?? ''))
    .select(['agent.applied_at', 'agent.definitions_digest', 'rollout.digests'])
    .where('agent.name', '=', action.agent)
    .executeTakeFirst();
  if (!row) return {};
  const frozen = row.digests?.definitions;
  const sameDefinitions =
    frozen === undefined ? row.applied_at <= action.asked_at || undefined : frozen === row.definitions_digest;
  if (row.applied_at > action.asked_at) return { sameDefinitions };
  const kept = await privateOf(db.sql, action.id);
  const loaded = await worlds.get(action.agent);
  if (!kept || !loaded || action.segment === null) return { sameDefinitions };
  const context = JSON.parse(kept.attributes) as Record<string, unknown>;
  const found = loaded.world.agent.segmentOf({ context });
  return {
    sameDefinitions,
    ...(!found.failed && { segment: { recorded: action.segment, found: found.segment.name } }),
  };
}
