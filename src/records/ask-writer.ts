import { randomBytes } from 'node:crypto';
import { type Selectable, sql } from 'kysely';
import type { Clock } from '../clock.ts';
import type { Sql } from '../db/database.ts';
import { isStoreDown, isStoreSlow, withoutDeadlock } from '../db/failure.ts';
import type { ActionTable } from '../db/tables-action.ts';
import { canonical, subjectDigest } from '../domain/digest.ts';
import type { RolloutRecord } from './rollout.ts';

const BATCH_MAX = 64;
const SUBJECTS_KEPT = 10_000;
/** Of the form of an entry: log_append() writes the same. */
const LOG_VERSION = 2;

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
  };
}

export type Written =
  | { status: 'asked' | 'known' | 'conflict'; id: string }
  | { status: 'stale' | 'subject' | 'unauthenticated'; id: null };

interface Waiting {
  row: AskRow;
  resolve(written: Written): void;
  reject(error: unknown): void;
}

/**
 * Group commit: asks that arrive while a batch is being written go together in the next one. Nothing waits for a
 * batch to fill.
 */
export class AskWriter {
  readonly #db: Sql;
  readonly #clock: Clock;
  readonly #subjects = new Map<string, Subject>();
  #waiting: Waiting[] = [];
  #writing = false;

  constructor(db: Sql, clock: Clock) {
    this.#db = db;
    this.#clock = clock;
  }

  write(row: AskRow): Promise<Written> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ row, resolve, reject });
      if (!this.#writing) void this.#drain();
    });
  }

  async #drain(): Promise<void> {
    this.#writing = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, BATCH_MAX);
      try {
        const written = await this.#writeBatch(batch.map(({ row }) => row));
        batch.forEach(({ resolve, reject }, index) => {
          const answer = written[index];
          if (answer) resolve(answer);
          else reject(new Error('the store answered fewer rows than were asked'));
        });
      } catch (error) {
        await this.#writeSingly(batch, error);
      }
    }
    this.#writing = false;
  }

  /** One row the store refuses must not take the others of its batch with it. */
  async #writeSingly(batch: readonly Waiting[], error: unknown): Promise<void> {
    if (batch.length === 1 || isStoreDown(error) || isStoreSlow(error)) {
      for (const { reject } of batch) reject(error);
      return;
    }
    for (const { row, resolve, reject } of batch) {
      await this.#writeBatch([row]).then(([written]) => (written ? resolve(written) : reject(error)), reject);
    }
  }

  async #writeBatch(rows: readonly AskRow[]): Promise<Written[]> {
    const now = this.#clock.now();
    const asks = JSON.stringify(rows.map(recordOf));
    const { rows: written } = await withoutDeadlock(() =>
      sql<Written & { n: number }>`SELECT n, status, id FROM ask_actions(${asks}::jsonb, ${now})`.execute(
        this.#db,
      ),
    );
    return written;
  }

  /** Made on first sight. */
  async subject(agent: string, name: string): Promise<Subject> {
    const cacheKey = `${agent}\n${name}`;
    const known = this.#subjects.get(cacheKey);
    if (known) return known;
    await this.#db
      .insertInto('subject')
      .values({ agent, name, key: randomBytes(32) })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    const row = await this.#db
      .selectFrom('subject')
      .select(['id', 'key'])
      .where('agent', '=', agent)
      .where('name', '=', name)
      .executeTakeFirstOrThrow();
    const subject = { id: row.id, digest: subjectDigest(Buffer.from(row.key), name), admitted: new Map() };
    if (this.#subjects.size >= SUBJECTS_KEPT) this.#subjects.clear();
    this.#subjects.set(cacheKey, subject);
    return subject;
  }

  /** Whether an arm of the rollout may be assigned to it: decided on first sight, and kept. */
  async admit(
    { id, plan }: Pick<RolloutRecord, 'id' | 'plan'>,
    { agent, name }: { agent: string; name: string },
    now: Date,
  ): Promise<boolean> {
    const subject = await this.subject(agent, name);
    const known = subject.admitted.get(id);
    if (known !== undefined) return known;
    const { rows } = await sql<{ admitted: boolean }>`
      SELECT admit_subject(${id}, ${subject.id}, ${plan.newSubjectsPerHour}, ${now}) AS admitted`.execute(
      this.#db,
    );
    const admitted = rows[0]?.admitted ?? false;
    subject.admitted.set(id, admitted);
    return admitted;
  }

  forgetSubject(agent: string, name: string): void {
    this.#subjects.delete(`${agent}\n${name}`);
  }
}

/**
 * The ask as the store takes it. A read that the policy decided is final and goes where nothing changes; what a standing
 * approval lets pass stays with the other actions that rest on it.
 */
function recordOf(row: AskRow) {
  const isFinalRead = row.kind === 'read' && row.state !== 'pending' && row.standing_id === null;
  return isFinalRead
    ? readOf(row)
    : { ...row, recordAfter: undefined, record: 'action', salt: saltOf(row), entry: entryOf(row) };
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
const saltOf = ({ salt }: AskRow): string => `\\x${salt.toString('hex')}`;

/** The entry of the log. */
const entryOf = ({ entry, id, agent, asked_at, asked_by }: AskRow): string =>
  canonical({
    v: LOG_VERSION,
    at: asked_at.toISOString(),
    kind: 'action.asked',
    agent,
    ref: id,
    actor: asked_by,
    data: withoutNulls(entry),
  });

/** As the store writes its own entries. */
const withoutNulls = (data: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(data).filter(([, value]) => value !== null && value !== undefined));
