import type { Sql } from '../db/database.ts';
import { type Agent, type Tool, toolOf } from '../domain/agent.ts';
import { redactArgs } from '../domain/decision/redact.ts';
import { type ActionRow, privateOf } from './action.ts';
import { manifestOf } from './manifest.ts';

/**
 * The tool of an action, hiding what was hidden when it was asked and what is hidden now: a later manifest covers the
 * past, and never uncovers it. `undefined`: the manifest knows it no more, and nothing of it may be shown.
 */
export function toolAsAsked(
  agent: Pick<Agent, 'tools'>,
  { tool: name, redact: asked }: Pick<ActionRow, 'tool' | 'redact'>,
): Tool | undefined {
  const tool = toolOf(agent, name);
  return tool && { ...tool, redact: [...new Set([...tool.redact, ...asked])] };
}

/** Arguments with what is redacted of them marked; `undefined` once erased. */
export async function shownArgs(
  db: Sql,
  action: Pick<ActionRow, 'id' | 'agent' | 'tool' | 'redact'>,
  agent?: Agent,
): Promise<Record<string, unknown> | undefined> {
  const kept = await privateOf(db, action.id);
  if (!kept) return undefined;
  const manifest = agent ?? (await manifestOf(db, action.agent));
  return redactArgs(toolAsAsked(manifest, action), JSON.parse(kept.args));
}
