import type { ActionRow } from '../actions/store.ts';
import type { Actor, Services } from '../context.ts';
import type { Sql } from '../db/database.ts';
import { toolOf } from '../domain/agent.ts';
import { rightToApprove } from '../domain/approval.ts';
import { type ArgsChange, diffRedacted } from '../domain/args-diff.ts';
import { redactArgs, redactionsOf } from '../domain/redact.ts';
import { groupsOf } from '../domain/release.ts';
import { readAgentStanding } from './standing.ts';

/** One of several requests that are looked at together. */
export interface Together {
  action: ActionRow;
  /** Redacted; `undefined` once erased. */
  args: Readonly<Record<string, unknown>> | undefined;
  /** What differs from the first one of its tool; `undefined` for that one, and where it cannot be told. */
  changes: readonly ArgsChange[] | undefined;
}

type Args = Readonly<Record<string, unknown>>;

/** Of these actions of one agent, those this person may approve now and has not answered, in the same order. */
export async function answerTogether(
  { db, clock }: Pick<Services, 'db' | 'clock'>,
  actor: Actor,
  actions: readonly ActionRow[],
): Promise<Together[]> {
  const { person } = actor;
  const [one] = actions;
  if (!person || !one) return [];
  const groups = actions.flatMap(({ approval, routed }) => [
    ...(approval ? groupsOf(approval) : []),
    ...routed.map(({ group }) => group),
  ]);
  const standing = await readAgentStanding(db.sql, one.agent, [...new Set(groups)], clock.now());
  const ids = actions.map(({ id }) => id);
  const edits = await editsOf(db.sql, ids);
  const done = await answeredBy(db.sql, person, ids);
  const may = actions.filter((action) => {
    const editors = edits.filter(({ action_id }) => action_id === action.id).map(({ editor }) => editor);
    return (
      !done.has(`${action.id}/${action.round}`) &&
      'right' in rightToApprove(person, { ...standing, editors }, action)
    );
  });
  const args = await argsOf(
    db.sql,
    may.map(({ id }) => id),
  );
  const first = new Map<string, Args>();
  return may.map((action) => {
    const tool = toolOf(standing.agent, action.tool);
    const redactions = tool && redactionsOf(tool);
    const own = args.get(action.id);
    const other = first.get(action.tool);
    if (own && !other) first.set(action.tool, own);
    return {
      action,
      args: own && redactArgs(tool, own),
      changes: own && other && redactions ? diffRedacted(other, own, redactions) : undefined,
    };
  });
}

const editsOf = (db: Sql, ids: readonly string[]) =>
  db.selectFrom('action_edit').select(['action_id', 'editor']).where('action_id', 'in', ids).execute();

async function answeredBy(db: Sql, person: string, ids: readonly string[]): Promise<Set<string>> {
  const rows = await db
    .selectFrom('decision')
    .select(['action_id', 'round'])
    .where('person', '=', person)
    .where('action_id', 'in', ids)
    .execute();
  return new Set(rows.map(({ action_id, round }) => `${action_id}/${round}`));
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
