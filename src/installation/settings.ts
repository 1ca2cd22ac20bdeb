import type { Sql } from '../db/database.ts';
import { REAL_DAY_MS } from '../domain/duration.ts';

/** What all processes of an installation have in common; absent: nobody has said it yet. */
export interface Settings {
  /** Milliseconds of one `d`. */
  dayMs: number;
  /** Where people reach the service. */
  publicUrl?: string;
  /** Who signs credentials, receipts and checkpoints: their `iss`. */
  issuer?: string;
}

interface Stored {
  day_ms: number | null;
  public_url: string | null;
  issuer: string | null;
}

export const settingsOf = ({ day_ms, public_url, issuer }: Stored): Settings => ({
  dayMs: day_ms ?? REAL_DAY_MS,
  ...(public_url === null ? {} : { publicUrl: public_url }),
  ...(issuer === null ? {} : { issuer }),
});

export async function readSettings(db: Sql): Promise<Settings> {
  const row = await db
    .selectFrom('installation')
    .select(['day_ms', 'public_url', 'issuer'])
    .executeTakeFirstOrThrow();
  return settingsOf(row);
}

/** Two spellings of one address are one. */
export function isSameUrl(one: string, other: string): boolean {
  const plain = (url: string) => new URL(url).href.replace(/\/+$/, '');
  return plain(one) === plain(other);
}
