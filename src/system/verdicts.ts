import type { Sql } from '../db/database.ts';
import type { Agent } from '../domain/agent.ts';
import type { VerdictFact } from '../domain/system/facts.ts';
import { readLog } from '../log/read.ts';
import type { Window } from './flows.ts';

const VERDICTS_MAX = 1_000;
const ROLLOUTS_MAX = 20;

/** The verdicts of the rollouts that were open at that moment: of now from their rows, of then (`past`) from the log. */
export async function readVerdicts(
  db: Sql,
  { agent, asOf }: Window,
  { manifests, past }: { manifests: readonly Agent[]; past: boolean },
): Promise<VerdictFact[]> {
  let query = db
    .selectFrom('rollout')
    .select(['id', 'agent'])
    .where('started_at', '<=', asOf)
    .where((eb) => eb.or([eb('ended_at', 'is', null), eb('ended_at', '>', asOf)]));
  if (agent !== undefined) query = query.where('agent', '=', agent);
  const rollouts = await query.orderBy('started_at', 'desc').limit(ROLLOUTS_MAX).execute();
  const found: VerdictFact[] = [];
  for (const rollout of rollouts) {
    const rows = past ? await thenOf(db, rollout.id, asOf) : await nowOf(db, rollout.id);
    const metrics = manifests.find((one) => one.agent === rollout.agent)?.metrics ?? {};
    for (const row of rows) {
      const business = Object.hasOwn(metrics, row.metric) ? metrics[row.metric]?.business : undefined;
      found.push({ agent: rollout.agent, ...row, ...(business !== undefined && { business }) });
    }
  }
  return found.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

const keyOf = ({ agent, metric, segment }: VerdictFact): string => `${agent}\n${metric}\n${segment}`;

type Row = Pick<VerdictFact, 'segment' | 'metric' | 'verdict' | 'at'>;

/** Of each segment and metric the last one. */
const lastOf = (rows: readonly Row[]): Row[] => [
  ...new Map(rows.map((row) => [`${row.segment}\n${row.metric}`, row])).values(),
];

async function nowOf(db: Sql, rollout: string): Promise<Row[]> {
  const rows = await db
    .selectFrom('verdict')
    .select(['segment', 'metric', 'verdict', 'judged_at'])
    .where('rollout_id', '=', rollout)
    .orderBy('generation')
    .limit(VERDICTS_MAX)
    .execute();
  return lastOf(rows.map(({ judged_at, ...row }) => ({ ...row, at: judged_at.toISOString() })));
}

/** Whenever a verdict became another word, the log has it. */
async function thenOf(db: Sql, rollout: string, asOf: Date): Promise<Row[]> {
  const kind = 'rollout.verdict';
  const entries = await readLog(db, { ref: rollout, kind, limit: VERDICTS_MAX, newestFirst: true });
  const all = entries.toReversed().map(({ body }) => {
    const { at, data } = JSON.parse(body) as { at: string; data: Omit<Row, 'at'> };
    return { segment: data.segment, metric: data.metric, verdict: data.verdict, at };
  });
  return lastOf(all.filter(({ at }) => at <= asOf.toISOString()));
}
