import type { Sql } from '../db/database.ts';
import { exactDuration, REAL_DAY_MS } from '../domain/duration.ts';
import { AppError } from '../errors.ts';
import { appendEntry } from '../records/log-entry.ts';
import { isSameUrl, type Settings, settingsOf } from './settings.ts';

/** What the environment of one process says; what it leaves out is as the store says. */
export interface GivenSettings {
  dayMs?: number | undefined;
  publicUrl?: string | undefined;
  issuer?: string | undefined;
}

/**
 * What this process goes by: what the installation has, and what it has not yet is said by the first process that
 * comes. Days are of 24 hours unless that one says otherwise.
 * @throws AppError `config_invalid`: this process was told something else
 */
export async function settleInstallation(db: Sql, given: GivenSettings, now: Date): Promise<Settings> {
  return db.transaction().execute(async (tx) => {
    const row = await tx
      .selectFrom('installation')
      .select(['day_ms', 'public_url', 'issuer'])
      .forUpdate()
      .executeTakeFirstOrThrow();
    const problems = contradictions(given, settingsOf(row), row.day_ms !== null);
    if (problems.length > 0)
      throw new AppError('config_invalid', `Cannot start:\n- ${problems.join('\n- ')}`, { problems });
    const public_url = row.public_url ?? given.publicUrl ?? null;
    const settled = {
      day_ms: row.day_ms ?? given.dayMs ?? REAL_DAY_MS,
      public_url,
      // What was signed so far named the address by which people reached it.
      issuer: row.issuer ?? given.issuer ?? public_url,
    };
    const said = (Object.keys(settled) as (keyof typeof settled)[]).filter(
      (name) => settled[name] !== null && row[name] === null,
    );
    if (said.length > 0) {
      await tx.updateTable('installation').set(settled).execute();
      const data = Object.fromEntries(said.map((name) => [name, settled[name]]));
      await appendEntry(tx, { kind: 'installation.settled', at: now, actor: 'start', data });
    }
    return settingsOf(settled);
  });
}

function contradictions(given: GivenSettings, kept: Settings, isDayKept: boolean): string[] {
  const { dayMs, publicUrl, issuer } = given;
  return [
    ...(isDayKept && dayMs !== undefined && dayMs !== kept.dayMs
      ? [contradiction('PORTCULLIS_DAY', exactDuration(dayMs), exactDuration(kept.dayMs), '--day')]
      : []),
    ...(publicUrl !== undefined && kept.publicUrl !== undefined && !isSameUrl(publicUrl, kept.publicUrl)
      ? [contradiction('PORTCULLIS_PUBLIC_URL', publicUrl, kept.publicUrl, '--public-url')]
      : []),
    ...(issuer !== undefined && kept.issuer !== undefined && issuer !== kept.issuer
      ? [contradiction('PORTCULLIS_ISSUER', issuer, kept.issuer, '--issuer')]
      : []),
  ];
}

const contradiction = (variable: string, here: string, kept: string, option: string): string =>
  `${variable}: is ${here} here, and the installation in this store has ${kept}, which all its processes go by. Unset it to go by that. To change the installation, do so on purpose while it runs: portcullis installation set ${option} ${here} --reason "why"`;
