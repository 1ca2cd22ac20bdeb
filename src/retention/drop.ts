import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import { PARTITIONED, type Partition, type Partitioned, partitionsOf } from '../db/partitions.ts';
import type { PostureDueTable } from '../db/tables-retention.ts';
import { INCIDENT_STATES } from '../domain/incident/life.ts';
import type { Kept, Retention } from '../domain/retention.ts';
import type { Services } from '../services.ts';
import { openHolds } from './holds.ts';
import { removePartition } from './remove-partition.ts';
import { type Stays, sealAndDropLog } from './seal-log.ts';

/** More than this is not moved while the table is locked: the partition stays, and its status says so. */
const MOVED_MAX = 10_000;

/**
 * Drops the partitions whose time is over, after moving what must stay out of them: what is open, what an incident or a
 * standing approval rests on, what belongs to an open rollout. Under a hold nothing goes. Returns what was dropped.
 */
export async function dropOld(
  services: Pick<Services, 'db' | 'clock' | 'keys' | 'issuer' | 'retention'>,
): Promise<{ dropped: string[]; stays: Stays[] }> {
  const { retention } = services;
  const now = services.clock.now();
  const { sql: db } = services.db;
  const dropped: string[] = [];
  const stays: Stays[] = [];
  const held = (await openHolds(db)).length > 0;
  for (const one of PARTITIONED) {
    for (const partition of await overOf(db, one, retention, now)) {
      if (held && one.kept !== 'keys') {
        stays.push({ name: partition.name, because: 'hold' });
        continue;
      }
      if (await dropPartition(db, one, partition, now)) dropped.push(partition.name);
      else stays.push({ name: partition.name, because: 'too-much-kept' });
    }
  }
  const log = await sealAndDropLog(services, new Date(now.getTime() - retention.log), held);
  return { dropped: [...dropped, ...log.dropped], stays: [...stays, ...log.stays] };
}

/** Partitions that end before what is kept begins. */
async function overOf(db: Sql, one: Partitioned, retention: Retention, now: Date): Promise<Partition[]> {
  const keptFrom = new Date(now.getTime() - retention[one.kept]);
  return (await partitionsOf(db, one)).filter(({ until }) => until <= keptFrom);
}

async function dropPartition(
  db: Sql,
  one: Partitioned,
  { name, until }: Partition,
  now: Date,
): Promise<boolean> {
  const ids = await keptIds(db, one, name);
  if (ids.length > MOVED_MAX) return false;
  const uncounted = await countsThatGo(db, one, name, ids);
  await db.transaction().execute(async (tx) => {
    // What is moved was counted when it came: see only_moved().
    await sql`SET LOCAL portcullis.moving = 'yes'`.execute(tx);
    await removePartition(tx, { table: one.table, name, until, now }, async () => {
      if (ids.length > 0)
        await sql`INSERT INTO ${sql.table(one.table)} SELECT * FROM ${sql.table(name)}
          WHERE ${sql.ref(one.key)} = ANY (${ids}::uuid[])`.execute(tx);
      return ids.length;
    });
    if (uncounted.length > 0) await tx.insertInto('posture_due').values(uncounted).execute();
  });
  return true;
}

/** What is stored, and stored with its arguments, is less by what goes; what began once has begun for ever. */
async function countsThatGo(
  db: Sql,
  { table }: Partitioned,
  name: string,
  ids: readonly string[],
): Promise<Gone[]> {
  const segment = sql`coalesce(a.segment, 'default')`;
  const from = sql.table(name);
  const stays = sql`ANY (${ids}::uuid[])`;
  const gone = {
    read_record: sql<Gone>`SELECT a.agent, ${segment} AS segment, -count(*)::int AS actions, -count(a.args)::int AS kept
      FROM ${from} a GROUP BY 1, 2`,
    action: sql<Gone>`SELECT a.agent, ${segment} AS segment, -count(*)::int AS actions, -count(p.action_id)::int AS kept
      FROM ${from} a LEFT JOIN action_private p ON p.action_id = a.id WHERE NOT a.id = ${stays} GROUP BY 1, 2`,
    action_private: sql<Gone>`SELECT a.agent, ${segment} AS segment, 0 AS actions, -count(*)::int AS kept
      FROM ${from} p JOIN action a ON a.id = p.action_id WHERE NOT p.action_id = ${stays} GROUP BY 1, 2`,
  }[table];
  return gone === undefined ? [] : (await gone.execute(db)).rows;
}

type Gone = Pick<PostureDueTable, 'agent' | 'segment' | 'actions' | 'kept'>;

/** Of an incident that is closed nothing has to be looked at again: its case and its log entries stay. */
const UNSETTLED = INCIDENT_STATES.filter((state) => state !== 'closed');
const WITH_ACTIONS: readonly Kept[] = ['actions', 'arguments', 'cards'];

/** The actions of a partition that stay, one more than may be moved at most. */
async function keptIds(db: Sql, one: Partitioned, name: string): Promise<string[]> {
  if (!WITH_ACTIONS.includes(one.kept)) return [];
  const { rows } = await sql<{ id: string }>`
    WITH told AS (SELECT jsonb_path_query(i.evidence, '$.**.action') #>> '{}' AS id FROM incident i
      WHERE i.state IN (${sql.join(UNSETTLED)}))
    SELECT DISTINCT a.id FROM ${sql.table(name)} p JOIN action a ON a.id = ${sql.ref(`p.${one.key}`)}
    WHERE a.state IN ('pending', 'executing', 'unknown') OR (a.state = 'approved' AND a.kind = 'write')
      OR a.rollout_id IN (SELECT o.id FROM rollout o WHERE o.ended_at IS NULL)
      OR EXISTS (SELECT 1 FROM standing_approval s WHERE s.action_id = a.id AND s.ended_at IS NULL)
      OR a.id::text IN (SELECT t.id FROM told t)
      OR EXISTS (SELECT 1 FROM incident_action w JOIN incident i ON i.id = w.incident_id
        JOIN incident root ON root.id = coalesce(i.merged_into, i.id) AND root.state IN (${sql.join(UNSETTLED)})
        WHERE w.action_id = a.id)
    LIMIT ${MOVED_MAX + 1}`.execute(db);
  return rows.map(({ id }) => id);
}
