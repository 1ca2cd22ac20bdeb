import { type RawBuilder, sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import { oldestUnnumbered } from '../log/sequence.ts';
import { DELIVERED_WITHIN_MS } from '../records/reconciliation.ts';

/** What a loop has yet to do; `since`: from when the oldest of it waits, null where nothing does. */
type OldestWork = (now: Date) => RawBuilder<{ since: Date | null }>;

/** One number, or one for each value of a label. */
interface Reading {
  value: number;
  label?: string;
}

/** A figure that is read from the store whenever somebody looks. */
export interface StoreGauge {
  /** Without the prefix of all. */
  name: string;
  help: string;
  label?: string;
  /** The values of the label that are shown, 0 where nothing is read. */
  values?: readonly string[];
  read: (now: Date) => RawBuilder<Reading>;
}

const OPEN_COUNTED_MAX = 100_000;
const since = (now: Date): Date => new Date(now.getTime() - DELIVERED_WITHIN_MS);

/**
 * The background loops by name. Each question finds the oldest row by an index, so that it costs the same however much is
 * stored (`test/integration/api/store-gauges.test.ts` counts the pages that are read); tables without one have a row for each
 * segment, group, live standing approval or open action.
 */
export const OLDEST_WORK: Readonly<Record<string, OldestWork>> = {
  outbox: () => sql`SELECT created_at AS since FROM outbox ORDER BY id LIMIT 1`,
  judge: () => sql`SELECT min(since) AS since FROM judge_queue`,
  evidence: () => sql`SELECT at AS since FROM evidence_due ORDER BY id LIMIT 1`,
  sequencer: oldestUnnumbered,
  sweeper: (now) => sql`SELECT least(
    (SELECT min(expires_at) FROM open_action WHERE state IN ('pending', 'approved') AND expires_at < ${now}),
    (SELECT min(deadline_at) FROM open_action WHERE state = 'executing' AND deadline_at < ${now}),
    (SELECT min(expires_at) FROM standing_approval WHERE ended_at IS NULL AND expires_at < ${now})) AS since`,
  revocations: () => sql`SELECT at AS since FROM revocation WHERE done_at IS NULL ORDER BY id LIMIT 1`,
  erasures: () => sql`SELECT min(at) AS since FROM erasure WHERE done_at IS NULL`,
  callbacks: (now) => sql`SELECT at AS since FROM callback WHERE at > ${since(now)} ORDER BY at LIMIT 1`,
  alerts: (now) => sql`SELECT created_at AS since FROM alert
    WHERE delivered_at IS NULL AND created_at > ${since(now)} ORDER BY created_at LIMIT 1`,
  stops: () => sql`SELECT at AS since FROM stop_intent WHERE closed_at IS NULL ORDER BY id LIMIT 1`,
  groups: (now) => sql`SELECT min(next_at) AS since FROM group_source WHERE next_at < ${now}`,
};

/** Every other figure of the store. Here they are added; the same holds for what they cost. */
export const STORE_GAUGES: readonly StoreGauge[] = [
  {
    name: 'epoch',
    help: 'Rises with every change of what is in force',
    read: () => sql`SELECT epoch AS value FROM installation`,
  },
  {
    name: 'stops_in_force',
    help: 'What is switched off: everything, agents, tools',
    label: 'scope',
    values: ['everything', 'agent', 'tool'],
    read: () =>
      sql`SELECT split_part(scope, '/', 1) AS label, count(*)::int AS value FROM switch WHERE disabled GROUP BY 1`,
  },
  {
    name: 'actions_open',
    help: `Actions that wait or run, by state; at most ${OPEN_COUNTED_MAX} are counted`,
    label: 'state',
    values: ['pending', 'approved', 'executing'],
    read: () => sql`SELECT state AS label, count(*)::int AS value
      FROM (SELECT state FROM open_action LIMIT ${OPEN_COUNTED_MAX}) AS o GROUP BY 1`,
  },
  {
    name: 'last_reconciliation_age_seconds',
    help: "Since open records were last compared with Temporal's workflows",
    read: (now) =>
      sql`SELECT extract(epoch FROM ${now}::timestamptz - at)::float8 AS value FROM reconciliation`,
  },
];

/** Seconds since the oldest work of each loop waits; 0 where nothing does. */
export async function oldestWorkAges(db: Sql, now: Date): Promise<Record<string, number>> {
  const ages: [string, number][] = [];
  for (const [loop, oldest] of Object.entries(OLDEST_WORK)) {
    const { rows } = await oldest(now).execute(db);
    const waiting = rows[0]?.since;
    ages.push([loop, waiting ? Math.max(0, now.getTime() - waiting.getTime()) / 1_000 : 0]);
  }
  return Object.fromEntries(ages);
}

/** What a gauge shows now: by label, or under '' without one. */
export async function readGauge(db: Sql, gauge: StoreGauge, now: Date): Promise<Map<string, number>> {
  const { rows } = await gauge.read(now).execute(db);
  const shown = new Map((gauge.values ?? []).map((value) => [value, 0]));
  for (const { label = '', value } of rows) shown.set(label, value);
  return shown;
}

/** What everything else goes by: the epoch, and how many scopes are off. */
export async function readState(db: Sql): Promise<{ epoch: number; stopsInForce: number }> {
  const { rows } = await sql<{ epoch: number; stopsInForce: number }>`
    SELECT epoch, (SELECT count(*)::int FROM switch WHERE disabled) AS "stopsInForce" FROM installation`.execute(
    db,
  );
  if (!rows[0]) throw new Error('the store has no installation');
  return rows[0];
}
