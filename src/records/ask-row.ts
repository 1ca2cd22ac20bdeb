import type { Selectable } from 'kysely';
import type { ActionTable } from '../db/tables-action.ts';
import { bodyOf, type Entry } from './log-entry.ts';

/** What no action has when it is asked. */
type LaterColumns =
  | 'execution_id'
  | 'superseded_because'
  | 'deny_reason'
  | 'began_at'
  | 'start_by'
  | 'deadline_at'
  | 'completed_at'
  | 'result_digest'
  | 'error_code'
  | 'corrected_by'
  | 'corrected_at'
  | 'correction_reason'
  | 'withdraw_reason'
  | 'begun_day'
  | 'ended_at'
  | 'ended_by'
  | 'ended_because';

/** One ask ready to be recorded: the row, what is kept apart, the data of its log entry. */
export interface AskRow extends Omit<Selectable<ActionTable>, LaterColumns> {
  args: string;
  context: string;
  attributes: string;
  salt: Buffer;
  recordAfter: boolean;
  /** The token it is asked by, and the epoch of tokens in which that was looked up; null: nobody has to look again. */
  token: string | null;
  token_epoch: number | null;
  entry: Readonly<Record<string, unknown>>;
  /** Of a write that begins in the moment in which it is asked. */
  atOnce?: AtOnce | undefined;
}

/** What a write that begins at once has beside its question: its row as begun, its credential's lease, its log entries. */
export interface AtOnce {
  columns: Pick<
    Selectable<ActionTable>,
    'state' | 'revision' | 'execution_id' | 'began_at' | 'begun_day' | 'start_by' | 'deadline_at'
  >;
  lease: { jti: string; expires_at: Date };
  entries: readonly Pick<Entry, 'kind' | 'actor' | 'data'>[];
}

/** An ask whose subject has not been looked up: that takes the store. */
export type AskDraft = Omit<AskRow, 'subject_id' | 'subject_digest'>;

/** The subject's number and its digest under its own key. */
export interface Subject {
  id: number;
  digest: string;
  /** By rollout: whether an arm may be assigned to it. */
  admitted: Map<string, boolean>;
}

/** The draft with its subject; `more` joins its log entry. */
export const rowOf = (
  draft: AskDraft,
  subject: Subject,
  more: Readonly<Record<string, unknown>> = {},
): AskRow => ({
  ...draft,
  subject_id: subject.id,
  subject_digest: subject.digest,
  entry: { ...draft.entry, ...more, subject: subject.digest },
});

/** The action's row as it was just recorded; of a draft, without its subject. */
export function actionOf({
  args,
  context,
  attributes,
  salt,
  recordAfter,
  token,
  token_epoch,
  entry,
  atOnce,
  ...row
}: AskDraft): Selectable<ActionTable> {
  return {
    subject_id: null,
    subject_digest: '',
    ...row,
    superseded_because: null,
    deny_reason: null,
    execution_id: null,
    began_at: null,
    start_by: null,
    deadline_at: null,
    completed_at: null,
    result_digest: null,
    error_code: null,
    corrected_by: null,
    corrected_at: null,
    correction_reason: null,
    begun_day: null,
    withdraw_reason: null,
    ended_at: null,
    ended_by: null,
    ended_because: null,
    ...atOnce?.columns,
  };
}

/**
 * The ask as the store takes it. A read that the policy decided is final and goes where nothing changes; what a standing
 * approval lets pass stays with the other actions that rest on it.
 */
export function recordOf(row: AskRow) {
  const isFinalRead = row.kind === 'read' && row.state !== 'pending' && row.standing_id === null;
  return isFinalRead ? readOf(row) : writeOf(row);
}

function writeOf({ atOnce, recordAfter: _, ...row }: AskRow) {
  return {
    ...row,
    ...atOnce?.columns,
    record: 'action',
    salt: saltOf(row),
    entry: entryOf(row),
    begun: atOnce && {
      ...atOnce.lease,
      entries: atOnce.entries.map((entry) => ({ kind: entry.kind, body: entryAt(row, entry) })),
    },
  };
}

function readOf(row: AskRow) {
  const { id, agent, idempotency_key, request_digest, agent_version, tool, segment, arm, release } = row;
  const { rollout_id, generation, bucket, phase, event_day, epoch, grant_name, state, reasons } = row;
  const { args_digest, subject_id, subject_digest, summary, why, behind, links, redact, risk } = row;
  const { asked_at, asked_by, args, context, attributes, token, token_epoch } = row;
  return {
    record: 'read',
    id,
    agent,
    idempotency_key,
    request_digest,
    agent_version,
    tool,
    segment,
    arm,
    release,
    rollout_id,
    generation,
    bucket,
    phase,
    event_day,
    epoch,
    grant_name,
    state,
    reasons,
    args_digest,
    subject_id,
    subject_digest,
    summary,
    why,
    behind,
    links,
    redact,
    risk,
    asked_at,
    asked_by,
    args,
    context,
    attributes,
    token,
    token_epoch,
    salt: saltOf(row),
    entry: entryOf(row),
  };
}

/** As the store reads bytes. */
const saltOf = ({ salt }: Pick<AskRow, 'salt'>): string => `\\x${salt.toString('hex')}`;

type Asking = Pick<AskRow, 'id' | 'agent' | 'asked_at' | 'asked_by' | 'entry'>;

const entryOf = (row: Asking): string =>
  entryAt(row, { kind: 'action.asked', actor: row.asked_by, data: row.entry });

/** An entry about the question, of its moment. */
const entryAt = ({ id, agent, asked_at }: Asking, entry: Pick<Entry, 'kind' | 'actor' | 'data'>): string =>
  bodyOf({ ...entry, agent, ref: id, at: asked_at });
