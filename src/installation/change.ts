import { type Actor, requireAllAgents, requireRole } from '../actor.ts';
import type { Sql } from '../db/database.ts';
import { durationMs, exactDuration, isDurationBetween } from '../domain/duration.ts';
import { CREDENTIAL_TTL_MAX_S } from '../domain/release.ts';
import { AppError } from '../errors.ts';
import { requireReason } from '../reason.ts';
import { appendEntry } from '../records/log-entry.ts';
import type { Services } from '../services.ts';
import { readSettings, type Settings, settingsOf } from './settings.ts';

/** How soon every process goes by what was changed. */
export const SETTINGS_RELOADED_EVERY_MS = 5_000;
export const DAY_LEAST = '100ms';
export const DAY_MOST = '24h';

export interface SettingsChange {
  /** A duration from 100ms to 24h. */
  day?: string | undefined;
  publicUrl?: string | undefined;
  issuer?: string | undefined;
  reason: string;
}

export interface ChangedSettings {
  before: Settings;
  after: Settings;
  /** Another issuer: until when credentials that name the old one may live. */
  oldIssuerUntil?: Date;
}

/**
 * Changes what all processes of the installation go by, on purpose; they follow within seconds, and are to be started
 * with it from then on. A day of another length is refused while a rollout is open: it keeps the days it began with,
 * and what is asked under it would not.
 * @throws AppError `forbidden`, `invalid_input`, `wrong_state`
 */
export async function changeInstallation(
  services: Pick<Services, 'db' | 'clock' | 'log'>,
  actor: Actor,
  { day, publicUrl, issuer, reason }: SettingsChange,
): Promise<ChangedSettings> {
  requireRole(actor, ['admin']);
  requireAllAgents(actor, ": the installation is everybody's");
  requireReason(reason, 'change the installation');
  if (day !== undefined && !isDurationBetween(day, DAY_LEAST, DAY_MOST))
    throw new AppError(
      'invalid_input',
      `"${day}" is no day: write a duration from ${DAY_LEAST} to ${DAY_MOST}`,
    );
  const now = services.clock.now();
  const changed = await services.db.sql.transaction().execute(async (tx) => {
    const row = await tx.selectFrom('installation').selectAll().forUpdate().executeTakeFirstOrThrow();
    const before = settingsOf(row);
    const next = {
      day_ms: day === undefined ? before.dayMs : durationMs(day),
      public_url: publicUrl ?? row.public_url,
      issuer: issuer ?? row.issuer,
    };
    const after = settingsOf(next);
    if (after.dayMs !== before.dayMs) await refuseOpenRollouts(tx, before.dayMs);
    if (JSON.stringify(after) === JSON.stringify(before)) return { before, after };
    await tx.updateTable('installation').set(next).execute();
    const data = { before: { ...before }, after: { ...after }, reason };
    await appendEntry(tx, { kind: 'installation.changed', at: now, actor: actor.id, data });
    return { before, after };
  });
  const { before, after } = changed;
  services.log.warn({ before, after, by: actor.id, reason }, 'THE INSTALLATION WAS CHANGED');
  if (before.issuer === undefined || before.issuer === after.issuer) return changed;
  const livesMs = CREDENTIAL_TTL_MAX_S * 1_000 + SETTINGS_RELOADED_EVERY_MS;
  return { ...changed, oldIssuerUntil: new Date(now.getTime() + livesMs) };
}

async function refuseOpenRollouts(tx: Sql, dayMs: number): Promise<void> {
  const open = await tx
    .selectFrom('rollout')
    .select(['id', 'agent'])
    .where('ended_at', 'is', null)
    .orderBy('id')
    .execute();
  if (open.length === 0) return;
  const names = open.map(({ id, agent }) => `${id} of ${agent}`).join(', ');
  throw new AppError(
    'wrong_state',
    `Cannot change the length of a day: ${names} ${open.length === 1 ? 'is' : 'are'} open, with days of ${exactDuration(dayMs)}. Let ${open.length === 1 ? 'it' : 'them'} end, or roll back first`,
    { rollouts: open.map(({ id }) => id) },
  );
}

/** Goes by what the store says now: another process may have changed it. What nobody has said yet stays as it is here. */
export async function followInstallation(services: Services): Promise<void> {
  const { dayMs, publicUrl, issuer } = await readSettings(services.db.sql);
  const { dayMs: ownDay, publicUrl: ownUrl, issuer: ownIssuer } = services;
  services.dayMs = dayMs;
  services.publicUrl = publicUrl ?? ownUrl;
  services.issuer = issuer ?? ownIssuer;
  if (services.publicUrl !== ownUrl) services.switchProcess?.reachedAt(services.publicUrl);
  if (services.dayMs !== ownDay || services.publicUrl !== ownUrl || services.issuer !== ownIssuer)
    services.log.warn(
      { dayMs, publicUrl, issuer },
      'the installation was changed: this process goes by it now',
    );
}
