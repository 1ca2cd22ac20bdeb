import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import type { Clock } from '../clock.ts';
import type { Sql } from '../db/database.ts';
import { isStoreDown, isStoreSlow, withoutDeadlock } from '../db/failure.ts';
import { subjectDigest } from '../domain/digest.ts';
import { type AskRow, recordOf, type Subject } from './ask-row.ts';
import type { RolloutRecord } from './rollout.ts';

const BATCH_MAX = 64;
const SUBJECTS_KEPT = 10_000;

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
