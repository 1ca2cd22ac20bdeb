import type { Selectable } from 'kysely';
import { z } from 'zod';
import type { AlertTable } from '../db/tables.ts';
import { AppError } from '../errors.ts';
import type { Services } from '../services.ts';

const text = z.string();
const inFlight = z.object({
  action: text,
  agent: text.optional(),
  tool: text.optional(),
  summary: text,
  begunAt: text.optional(),
});
const executed = z.object({ action: text, summary: text, reversibility: text, undo: text.nullish() });
const figure = z.union([z.number(), z.string()]).nullish();

const earned = z.object({ decided: figure, good: figure, bad: figure, lower: figure, above: figure });

/** What alerts carry, each only where its kind has it. A part that is not as expected is left out, not the alert. */
const alertFactsSchema = z.object({
  rollout: text.optional().catch(undefined),
  segment: text.optional().catch(undefined),
  because: text.optional().catch(undefined),
  metric: text.nullish().catch(undefined),
  eValue: figure.catch(undefined),
  limit: figure.catch(undefined),
  events: figure.catch(undefined),
  harms: figure.catch(undefined),
  /** Harms that the time allowed, where the count over time is what took it back. */
  allowed: figure.catch(undefined),
  /** Of a sum, what a subject-day came to. */
  mean: figure.catch(undefined),
  /** Of a ratio, the same in words. */
  ratio: text.optional().catch(undefined),
  /** Harmful subjects of the release in force, where the comparison with it is what took it back. */
  besideControl: figure.catch(undefined),
  /** What a subject of the release in force came to, where the comparison with it is what took it back. */
  besideMean: figure.catch(undefined),
  /** What the harm so far costs, with its inputs. */
  costs: text.nullish().catch(undefined),
  backOn: text.nullish().catch(undefined),
  waiting: z.number().nullish().catch(undefined),
  approversInGroup: z.number().nullish().catch(undefined),
  voided: z.number().nullish().catch(undefined),
  inFlight: z.array(inFlight).catch([]),
  executed: z.array(executed).catch([]),
  breachToRevokedMs: z.number().nullish().catch(undefined),
  incident: text.nullish().catch(undefined),
  severity: text.optional().catch(undefined),
  /** What the records alone establish of an incident. */
  mechanism: text.optional().catch(undefined),
  classifyBy: text.optional().catch(undefined),
  sentence: text.optional().catch(undefined),
  followUp: text.optional().catch(undefined),
  dueAt: text.optional().catch(undefined),
  overdue: z.boolean().optional().catch(undefined),
  blocks: z.boolean().optional().catch(undefined),
  step: z.number().optional().catch(undefined),
  reminder: z.boolean().optional().catch(undefined),
  /** On-call, because nobody answered. */
  escalatedTo: z.array(text).catch([]),
  phase: text.nullish().catch(undefined),
  waitsFor: z.array(z.union([text, z.object({ detail: text }).transform(({ detail }) => detail)])).catch([]),
  checklist: z.array(text).catch([]),
  segments: z.array(text).catch([]),
  scope: text.optional().catch(undefined),
  reads: z.boolean().optional().catch(undefined),
  reason: text.optional().catch(undefined),
  actor: text.optional().catch(undefined),
  action: text.optional().catch(undefined),
  summary: text.optional().catch(undefined),
  person: text.optional().catch(undefined),
  problem: text.optional().catch(undefined),
  tool: text.optional().catch(undefined),
  release: text.optional().catch(undefined),
  agentVersion: text.optional().catch(undefined),
  to: text.optional().catch(undefined),
  evidence: earned.optional().catch(undefined),
});
export type AlertParts = z.infer<typeof alertFactsSchema>;

/** The facts of an alert as its card takes them. */
export const alertPartsOf = (facts: unknown): AlertParts => alertFactsSchema.parse(facts);

/** Everything an alert's card says. */
export interface AlertFacts {
  id: string;
  kind: string;
  agent: string | null;
  at: Date;
  facts: AlertParts;
  /** The rollout it concerns, and its segments that the candidate still serves. */
  rollout: string | undefined;
  exposed: readonly string[];
  publicUrl: string;
}

/** @throws AppError `not_found` */
export async function alertById({ db }: Pick<Services, 'db'>, id: string): Promise<Selectable<AlertTable>> {
  const row = await db.sql.selectFrom('alert').selectAll().where('id', '=', id).executeTakeFirst();
  if (!row) throw new AppError('not_found', `There is no alert "${id.slice(0, 100)}"`);
  return row;
}

/** Reads what the card of an alert shows; an action's alert also tells of the rollout the action belongs to. */
export async function readAlertFacts(
  services: Pick<Services, 'db' | 'publicUrl'>,
  id: string,
): Promise<AlertFacts> {
  const row = await alertById(services, id);
  const facts = alertPartsOf(row.facts);
  const rollout = facts.rollout ?? (await rolloutOfAction(services, facts.action));
  const exposed = rollout
    ? await services.db.sql
        .selectFrom('rollout_segment')
        .select('segment')
        .where('rollout_id', '=', rollout)
        .where('state', '=', 'exposed')
        .where('exposure', '>', 0)
        .orderBy('segment')
        .execute()
    : [];
  return {
    id: row.id,
    kind: row.kind,
    agent: row.agent,
    at: row.created_at,
    facts,
    rollout,
    exposed: exposed.map(({ segment }) => segment),
    publicUrl: services.publicUrl,
  };
}

async function rolloutOfAction(
  { db }: Pick<Services, 'db'>,
  action: string | undefined,
): Promise<string | undefined> {
  if (action === undefined) return undefined;
  const row = await db.sql
    .selectFrom('any_action')
    .select(['rollout_id', 'arm'])
    .where('id', '=', action)
    .executeTakeFirst();
  return row?.arm === 'candidate' ? (row.rollout_id ?? undefined) : undefined;
}
