import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import { lowestIdAt } from '../db/partitions.ts';
import type { Flow } from '../domain/system/facts.ts';

/** Questions that a view looks at, at most: the newest ones. */
export const LOOKED_AT = 20_000;
const NAMES_MAX = 4_000;

export interface Window {
  agent: string | undefined;
  from: Date;
  asOf: Date;
}

export interface Flows {
  flows: Flow[];
  /** From when on everything that was asked is in it. */
  from: Date;
  shortened: boolean;
}

/**
 * What was asked in the window, by the order of ids, and how far it had come at the moment that is shown. One statement;
 * it reads `most` questions, whatever the store holds.
 */
export async function readFlows(db: Sql, window: Window, most = LOOKED_AT): Promise<Flows> {
  const { rows } = await db.transaction().execute(async (tx) => {
    // Credentials and outcomes of each question by their index, also while their table is small: there are many questions.
    await sql`SET LOCAL enable_seqscan = off`.execute(tx);
    return statement(window, most).execute(tx);
  });
  const all = rows.find(({ by, agent }) => by === 'all' && agent === null);
  const shortened = (all?.asked ?? 0) >= most;
  return {
    flows: rows.map(({ first: _, ...flow }) => flow),
    from: shortened && all?.first ? all.first : window.from,
    shortened,
  };
}

type Row = Flow & { first: Date | null };

const COLUMNS = sql`id, agent, asked_by, agent_version, tool, segment, release, arm, grant_name, asked_at, state`;

function statement({ agent, from, asOf }: Window, most: number) {
  const at = sql`${asOf.toISOString()}::timestamptz`;
  const within = sql`id >= ${lowestIdAt(from)}::uuid AND id < ${lowestIdAt(new Date(asOf.getTime() + 1))}::uuid
    AND ${agent === undefined ? sql`true` : sql`agent = ${agent}`}`;
  return sql<Row>`
    WITH asked AS MATERIALIZED (
      SELECT * FROM (
        (SELECT ${COLUMNS}, kind, approval IS NOT NULL AS asks, decided_by, coalesce(decided_at, asked_at) AS decided_at,
          decided_at AS answered_at, ended_at, began_at, completed_at, deadline_at, corrected_at
        FROM action WHERE ${within} ORDER BY id DESC LIMIT ${most})
        UNION ALL
        (SELECT ${COLUMNS}, 'read', false, 'policy', asked_at, NULL, NULL, NULL, NULL, NULL, NULL
        FROM read_record WHERE ${within} ORDER BY id DESC LIMIT ${most})
      ) x ORDER BY id DESC LIMIT ${most}
    ), seen AS (
      SELECT a.*, a.kind = 'write' AS writes, a.asks AND a.decided_by IS DISTINCT FROM 'policy' AS waited,
        CASE WHEN a.decided_by = 'person' AND a.answered_at <= ${at} THEN a.answered_at END AS people_at,
        a.state = 'denied' AND a.decided_at <= ${at} AS denied,
        CASE WHEN a.ended_at <= ${at} THEN a.ended_at END AS void_at,
        CASE WHEN a.kind = 'write' AND a.began_at <= ${at} THEN a.began_at END AS begun_at,
        CASE WHEN a.kind = 'write' AND a.completed_at <= ${at} THEN a.completed_at END AS done_at,
        a.corrected_at <= ${at} AS corrected,
        (SELECT min(k.issued_at) FROM credential k
          WHERE k.action_id = a.id AND a.kind = 'write' AND k.issued_at <= ${at}) AS credential_at,
        (SELECT min(o.received_at) FROM outcome o
          WHERE o.action_id = a.id AND a.kind = 'write' AND o.received_at <= ${at}) AS outcome_at
      FROM asked a
    )
    SELECT CASE WHEN GROUPING(asked_by) = 0 THEN 'asker' WHEN GROUPING(agent_version) = 0 THEN 'version'
        WHEN GROUPING(tool) = 0 THEN 'tool' WHEN GROUPING(segment) = 0 THEN 'segment'
        WHEN GROUPING(release) = 0 THEN 'release' WHEN GROUPING(arm) = 0 THEN 'arm'
        WHEN GROUPING(grant_name) = 0 THEN 'rule' ELSE 'all' END AS by,
      agent, coalesce(asked_by, agent_version, tool, segment, release, arm, grant_name) AS name,
      count(*)::int AS asked, min(asked_at) AS first,
      ${times('denied')} AS denied,
      ${times("denied AND decided_by IS NOT DISTINCT FROM 'policy'")} AS "deniedByPolicy",
      ${times('waited')} AS waited,
      ${times("waited AND state = 'expired' AND void_at IS NOT NULL AND people_at IS NULL")} AS expired,
      ${times("writes AND void_at IS NOT NULL AND (people_at IS NOT NULL OR decided_by = 'policy')")} AS lost,
      ${times("state = 'disabled' AND void_at IS NOT NULL")} AS stopped,
      ${times("state = 'superseded' AND void_at IS NOT NULL")} AS superseded,
      count(begun_at)::int AS begun, count(credential_at)::int AS credentialed,
      ${times("done_at IS NOT NULL AND state = 'executed'")} AS executed,
      ${times("done_at IS NOT NULL AND state = 'failed'")} AS failed,
      count(*) FILTER (WHERE begun_at IS NOT NULL AND done_at IS NULL AND deadline_at <= ${at})::int AS unknown,
      ${times('corrected AND begun_at IS NOT NULL')} AS corrected, count(outcome_at)::int AS measured,
      ${span('people_at', 'asked_at')} AS "answerMs", ${span('begun_at', 'decided_at')} AS "beginMs",
      ${span('done_at', 'begun_at')} AS "runMs", ${span('outcome_at', 'done_at')} AS "outcomeMs",
      ${last('asked_at')} AS "askedAt", ${last('people_at')} AS "waitedAt", ${last('begun_at')} AS "begunAt",
      ${last('credential_at')} AS "credentialAt", ${last('done_at')} AS "completedAt",
      ${last('outcome_at')} AS "outcomeAt", ${last('void_at')} AS "endedAt"
    FROM seen
    GROUP BY GROUPING SETS ((), (agent), (agent, agent_version), (agent, tool), (agent, segment), (agent, release),
      (agent, arm), (agent, grant_name), (asked_by))
    ORDER BY 1, 2 NULLS FIRST, 3 NULLS FIRST LIMIT ${NAMES_MAX}`;
}

/** Written here and nowhere else: nothing of it comes from outside. */
const times = (when: string) => sql`${sql.raw(`count(*) FILTER (WHERE ${when})`)}::int`;
const span = (later: string, earlier: string) =>
  sql.raw(
    `(percentile_disc(0.95) WITHIN GROUP (ORDER BY round(extract(epoch FROM ${later} - ${earlier}) * 1000)))::float8`,
  );
const last = (column: string) =>
  sql.raw(`to_char(max(${column}) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`);
