import type { Selectable } from 'kysely';
import type { Sql } from '../db/database.ts';
import type { SwitchTable } from '../db/tables.ts';
import { concernsAny } from '../domain/scope.ts';

/** One time that somebody stopped what was stopped already. */
export interface LaterStop {
  actor: string;
  reason: string;
  at: Date;
  reads: boolean;
}

/** What is switched off: who stopped it first, when and why, and who stopped it again since. */
export interface SwitchedOff extends Omit<Selectable<SwitchTable>, 'disabled'> {
  later: LaterStop[];
}

/** What is switched off now, what was stopped last first; of an agent, what covers it. */
export async function listDisabled(db: Sql, agent?: string): Promise<SwitchedOff[]> {
  const rows = await db
    .selectFrom('switch')
    .innerJoin('stop', 'stop.scope', 'switch.scope')
    .select(['switch.scope', 'switch.reads', 'switch.epoch', 'switch.enable_asked_by'])
    .select(['stop.actor', 'stop.reason', 'stop.at', 'stop.reads as stop_reads'])
    .where('switch.disabled', '=', true)
    .where('stop.ended_at', 'is', null)
    .orderBy('stop.id')
    .execute();
  const off = new Map<string, SwitchedOff>();
  for (const { at, actor, reason, stop_reads, ...row } of rows) {
    const known = off.get(row.scope);
    if (known) known.later.push({ actor, reason, at, reads: stop_reads });
    else off.set(row.scope, { ...row, actor, reason, changed_at: at, later: [] });
  }
  return [...off.values()]
    .filter(({ scope }) => agent === undefined || concernsAny(scope, new Set([agent])))
    .sort((one, other) => other.changed_at.getTime() - one.changed_at.getTime());
}
