import type { Actor } from '../actor.ts';
import type { Sql } from '../db/database.ts';
import { AppError } from '../errors.ts';
import { appendEntry } from '../records/log-entry.ts';
import type { RolloutRecord } from '../records/rollout.ts';
import type { Services } from '../services.ts';
import type { Evidence } from './evidence-choice.ts';
import { tellWorkflow } from './tell.ts';

export const ROLLOUT_VERBS = [
  'pause',
  'resume',
  'advance',
  'approve-gate',
  'reject-gate',
  'rollback',
  'reenter',
  'exclude',
  'ease',
  'accept-arms',
] as const;
export type RolloutVerb = (typeof ROLLOUT_VERBS)[number];

export interface RolloutVerbInput {
  id: string;
  verb: RolloutVerb;
  reason: string;
  segment?: string;
  /** The step whose gate was seen: refused where it is another by now. */
  step?: number;
  /** reenter: from this earlier step of the plan on, which was good. */
  fromStep?: number;
  /** The checks a person confirms when approving a gate; every one of the step's list is needed. */
  checklist?: readonly string[];
  /** resume, with a new build waiting: what its events are for. Default: anew. */
  evidence?: Evidence;
}

export interface VerbAnswer {
  changed: boolean;
  detail: string;
}

/** @throws AppError `wrong_state` of one that has ended, but for the rollback of one that is watched */
export function requireOpen({ id, status, ended_at }: RolloutRecord, { verb }: RolloutVerbInput): void {
  if (ended_at && !(verb === 'rollback' && status === 'completed'))
    throw new AppError('wrong_state', `Cannot ${verb}: rollout ${id} is ${status}`);
}

/** Changes the row if it is still as read, with the verb's log entry and a signal to the workflow. */
export async function change(
  services: Services,
  actor: Actor,
  rollout: RolloutRecord,
  input: RolloutVerbInput,
  set: Record<string, unknown>,
  data: Record<string, unknown> = {},
): Promise<void> {
  const now = services.clock.now();
  await services.db.sql.transaction().execute((tx) => changeIn(tx, actor, rollout, input, now, set, data));
  services.wake();
}

/** The same in a transaction of the caller's. */
export async function changeIn(
  tx: Sql,
  actor: Actor,
  rollout: RolloutRecord,
  { verb, reason }: RolloutVerbInput,
  now: Date,
  set: Record<string, unknown>,
  data: Record<string, unknown> = {},
): Promise<void> {
  const { numUpdatedRows } = await tx
    .updateTable('rollout')
    .set({ ...set, revision: rollout.revision + 1 })
    .where('id', '=', rollout.id)
    .where('revision', '=', rollout.revision)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) throw new AppError('conflict', `Cannot ${verb}: the rollout changed meanwhile`);
  await logVerb(tx, actor, rollout, verb, now, { reason, ...data });
}

export async function logVerb(
  tx: Sql,
  actor: Actor,
  rollout: RolloutRecord,
  verb: string,
  at: Date,
  data: Record<string, unknown>,
) {
  await appendEntry(tx, {
    kind: `rollout.${verb}`,
    agent: rollout.agent,
    ref: rollout.id,
    at,
    actor: actor.id,
    data: { ...data, via: actor.via, identity: actor.identity },
  });
  await tellWorkflow(tx, rollout.id);
}
