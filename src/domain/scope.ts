import { NAME } from './name.ts';

/** What a switch covers: everything, an agent with all its tools, or one tool of an agent. */
export interface Scope {
  /** Absent: everything. */
  agent?: string;
  /** Absent: the whole agent. */
  tool?: string;
}

/** A scope as it is stored, sent and logged. */
export const SCOPE_PATTERN = new RegExp(`^(?:everything|agent/(${NAME})|tool/(${NAME})/(${NAME}))$`);
export const SCOPE_FORMS = 'everything, agent/<agent> or tool/<agent>/<tool>';

/** The form of `SCOPE_PATTERN`. */
export function scopeText({ agent, tool }: Scope): string {
  if (agent === undefined) return 'everything';
  return tool === undefined ? `agent/${agent}` : `tool/${agent}/${tool}`;
}

/** Reads what `scopeText` wrote; `undefined`: it is no scope. */
export function readScope(text: string): Scope | undefined {
  const [scope, agent, owner, tool] = SCOPE_PATTERN.exec(text) ?? [];
  if (scope === undefined) return undefined;
  return tool === undefined ? { agent } : { agent: owner, tool };
}

/** A scope as people type it: as it is stored, or `Everything`, `<agent>`, `<agent>/<tool>`. */
export function typedScope(text: string): Scope | undefined {
  if (text.toLowerCase() === 'everything') return {};
  return readScope(text) ?? readScope(`agent/${text}`) ?? readScope(`tool/${text}`);
}

/** Every scope that stops this tool of the agent; without one, those that stop the agent as a whole. */
export const scopesOver = (agent: string, tool?: string): string[] =>
  [{}, { agent }, ...(tool === undefined ? [] : [{ agent, tool }])].map(scopeText);

/** Whether a stored scope is about one of these agents. */
export function concernsAny(scope: string, agents: { has(agent: string): boolean }): boolean {
  const agent = readScope(scope)?.agent;
  return agent === undefined || agents.has(agent);
}

/** A stored scope in words: `everything`, `agent desk`, `cancel of desk`. */
export function scopeWords(scope: string): string {
  const { agent, tool } = readScope(scope) ?? {};
  if (agent === undefined) return scope;
  return tool === undefined ? `agent ${agent}` : `${tool} of ${agent}`;
}
