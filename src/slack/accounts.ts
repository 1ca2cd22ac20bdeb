import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';

/** How long a stop or a denial may go by what Slack said last. */
const LAST_KNOWN_FOR_MS = 24 * 3_600_000;

/** What Slack said last of an account that was a person of some agent then. */
export interface LastKnown {
  email: string | null;
  at: Date;
}

/** Keeps what Slack says of an account, if any agent knows it as a person; older than a day nothing is kept. */
export async function rememberAccount(
  db: Sql,
  { slack, email }: { slack: string; email: string | undefined },
  at: Date,
): Promise<void> {
  await db
    .deleteFrom('slack_account')
    .where((row) =>
      row.or([row('slack', '=', slack), row('known_at', '<', new Date(at.getTime() - LAST_KNOWN_FOR_MS))]),
    )
    .execute();
  await sql`INSERT INTO slack_account (slack, email, known_at)
    SELECT ${slack}, ${email ?? null}, ${at}
    WHERE EXISTS (SELECT 1 FROM agent a, jsonb_each(a.manifest -> 'people') p WHERE p.value ->> 'slack' = ${slack}
      OR (a.manifest #> '{slack,matchEmail}' = 'true' AND lower(p.value ->> 'email') = ${email ?? null}))
    ON CONFLICT (slack) DO UPDATE SET email = excluded.email, known_at = excluded.known_at`.execute(db);
}

/** Slack says that it is nobody any more. */
export async function forgetAccount(db: Sql, slack: string): Promise<void> {
  await db.deleteFrom('slack_account').where('slack', '=', slack).execute();
}

/** `undefined`: it was nobody in the last day, as far as Slack said. */
export async function lastKnownAccount(db: Sql, slack: string, at: Date): Promise<LastKnown | undefined> {
  const row = await db
    .selectFrom('slack_account')
    .select(['email', 'known_at'])
    .where('slack', '=', slack)
    .where('known_at', '>=', new Date(at.getTime() - LAST_KNOWN_FOR_MS))
    .executeTakeFirst();
  return row && { email: row.email, at: row.known_at };
}
