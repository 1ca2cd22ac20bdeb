import type { Actor } from '../actor.ts';
import type { Sql } from '../db/database.ts';
import { type ArgsChange, diffRedacted } from '../domain/decision/args-diff.ts';
import { redactArgs, redactionsOf } from '../domain/decision/redact.ts';
import type { ActionRow } from '../records/action.ts';
import { toolAsAsked } from '../records/args.ts';
import type { Services } from '../services.ts';
import { withEligibility } from './eligibility.ts';
import { answerableBy } from './queue.ts';

/** One of several requests that are looked at together. */
export interface SideBySide {
  action: ActionRow;
  /** Redacted; `undefined` once erased. */
  args: Readonly<Record<string, unknown>> | undefined;
  /** What differs from the first one of its tool; `undefined` for that one, and where it cannot be told. */
  changes: readonly ArgsChange[] | undefined;
}

type Args = Readonly<Record<string, unknown>>;

/** Of these actions, those this person may approve now and has not answered, in the same order. */
export async function answerTogether(
  { db, clock }: Pick<Services, 'db' | 'clock'>,
  actor: Actor,
  actions: readonly ActionRow[],
): Promise<SideBySide[]> {
  const { person } = actor;
  if (!person) return [];
  const may = await answerableBy(db.sql, person, await withEligibility(db.sql, actions, clock.now()));
  const args = await argsOf(
    db.sql,
    may.map(({ action }) => action.id),
  );
  const first = new Map<string, { args: Args; redact: readonly string[] }>();
  return may.map(({ action, eligibility }) => {
    const tool = toolAsAsked(eligibility.agent, action);
    const own = args.get(action.id);
    const other = first.get(action.tool);
    if (own && tool && !other) first.set(action.tool, { args: own, redact: tool.redact });
    return {
      action,
      args: own && redactArgs(tool, own),
      changes:
        own && other && tool
          ? diffRedacted(other.args, own, redactionsOf({ redact: [...tool.redact, ...other.redact] }))
          : undefined,
    };
  });
}

async function argsOf(db: Sql, ids: readonly string[]): Promise<Map<string, Args>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .selectFrom('action_private')
    .select(['action_id', 'args'])
    .where('action_id', 'in', ids)
    .execute();
  return new Map(rows.map(({ action_id, args }) => [action_id, JSON.parse(args) as Args]));
}
