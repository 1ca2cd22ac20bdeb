import type { Sql } from '../db/database.ts';
import { type Agent, toolOf } from '../domain/agent.ts';
import { redactArgs } from '../domain/decision/redact.ts';
import { type ActionRow, privateOf } from './action.ts';
import { manifestOf } from './manifest.ts';

/** Arguments with what the manifest redacts marked, by default the one now in force; `undefined` once erased. */
export async function shownArgs(
  db: Sql,
  action: Pick<ActionRow, 'id' | 'agent' | 'tool'>,
  agent?: Agent,
): Promise<Record<string, unknown> | undefined> {
  const kept = await privateOf(db, action.id);
  if (!kept) return undefined;
  const manifest = agent ?? (await manifestOf(db, action.agent));
  return redactArgs(toolOf(manifest, action.tool), JSON.parse(kept.args));
}
