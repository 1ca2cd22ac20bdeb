import { lastLike } from '../approvals/alike.ts';
import type { Sql } from '../db/database.ts';
import type { Tool } from '../domain/agent.ts';
import { type ArgsChange, diffRedacted } from '../domain/decision/args-diff.ts';
import { redactionsOf } from '../domain/decision/redact.ts';
import type { ActionRow } from '../records/action.ts';
import { privateOf } from '../records/action.ts';

/** Somebody changed the arguments. */
export interface CardEdit {
  editor: string;
  at: Date;
  via: string;
  reason: string | null;
}

/** The last one like it that went ahead, and how this one differs; values redacted. */
export interface CardLike {
  id: string;
  at: Date;
  state: ActionRow['state'];
  /** A person reported it as wrong. */
  wrong: boolean;
  changes: readonly ArgsChange[];
}

/** What the arguments are compared with. */
export interface CardChanges {
  /** `undefined`: the first of its kind, or erased. */
  last: CardLike | undefined;
  /** The oldest first. */
  edits: readonly CardEdit[];
  /** What all edits together changed of what the agent asked; `undefined` where nothing was edited, or erased. */
  edited: readonly ArgsChange[] | undefined;
}

type Args = Readonly<Record<string, unknown>>;
type Hiding = Pick<Tool, 'redact'>;

/** Compares the arguments with those of the last one like it, and with what the agent asked before people edited. */
export async function readChanges(
  db: Sql,
  action: ActionRow,
  args: Args | undefined,
  tool: Hiding | undefined,
): Promise<CardChanges> {
  const edits =
    action.round === 0
      ? []
      : await db
          .selectFrom('action_edit')
          .select(['editor', 'at', 'via', 'reason', 'args_before'])
          .where('action_id', '=', action.id)
          .orderBy('round')
          .execute();
  const told = edits.map(({ args_before: _, ...edit }) => edit);
  // Of a tool that is gone nobody knows what must stay hidden.
  if (!args || !tool) return { last: undefined, edits: told, edited: undefined };
  const asked = edits[0]?.args_before;
  return {
    last: await likeOf(db, action, args, tool),
    edits: told,
    edited: asked ? diffRedacted(JSON.parse(asked), args, redactionsOf(tool)) : undefined,
  };
}

async function likeOf(db: Sql, action: ActionRow, args: Args, tool: Hiding): Promise<CardLike | undefined> {
  const last = await lastLike(db, action);
  const kept = last && (await privateOf(db, last.id));
  if (!last || !kept) return undefined;
  return {
    id: last.id,
    at: last.decided_at ?? last.asked_at,
    state: last.state,
    wrong: last.corrected_at !== null,
    // Of two actions as much is hidden as of either.
    changes: diffRedacted(
      JSON.parse(kept.args),
      args,
      redactionsOf({ redact: [...tool.redact, ...last.redact] }),
    ),
  };
}
