import { z } from 'zod';
import { agentSchema, nameSchema, toolSchema } from '../agent.ts';
import { suggest } from '../nearest.ts';
import { type CheckProblem, sentence } from '../problem.ts';

const ALL = 'all';

const toolDefaultSchema = toolSchema.partial().extend({
  tools: z
    .union([z.literal(ALL), z.array(nameSchema).min(1)])
    .describe('Which tools it is for: a list of names, or all'),
});

/** An agent as people write it: what many tools share is said once, under `toolDefaults`. */
export const agentFileSchema = agentSchema.extend({
  toolDefaults: z
    .array(toolDefaultSchema)
    .optional()
    .describe('What several tools share; what a tool says itself wins, then the first entry that names it'),
});

type Values = Record<string, unknown>;
const isValues = (value: unknown): value is Values =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The manifest with what `toolDefaults` says written at each tool. What is not well formed is left as it is. */
export function withToolDefaults(value: unknown): unknown {
  if (!isValues(value) || !Array.isArray(value.toolDefaults) || !isValues(value.tools)) return value;
  const entries = value.toolDefaults.filter(isValues);
  const tools = Object.entries(value.tools).map(([name, tool]) => {
    if (!isValues(tool) && tool !== null) return [name, tool];
    const shared = entries
      .filter(({ tools }) => tools === ALL || (Array.isArray(tools) && tools.includes(name)))
      .map(wellFormed);
    let filled: Values = {};
    for (const members of shared.reverse()) filled = { ...filled, ...members };
    return [name, { ...filled, ...tool }];
  });
  return { ...value, tools: Object.fromEntries(tools) };
}

/** A wrong member is told once, where it stands, and not again at each tool. */
const wellFormed = (entry: Values): Values =>
  Object.fromEntries(
    Object.entries(entry).filter(([key, value]) => {
      const schema = Object.hasOwn(toolSchema.shape, key)
        ? toolSchema.shape[key as keyof typeof toolSchema.shape]
        : undefined;
      return schema?.safeParse(value).success ?? false;
    }),
  );

/**
 * What the entries themselves get wrong. A tool becomes a read only by its own name: one that was forgotten stays a
 * write.
 */
export function checkToolDefaults(value: unknown): CheckProblem[] {
  if (!isValues(value) || !Array.isArray(value.toolDefaults)) return [];
  const known = Object.keys(isValues(value.tools) ? value.tools : {});
  return value.toolDefaults.flatMap((entry: unknown, at): CheckProblem[] => {
    if (!isValues(entry)) return [];
    const path = ['toolDefaults', at];
    if (entry.tools === ALL)
      return entry.kind === 'read'
        ? [
            {
              path: [...path, 'kind'],
              message:
                'Not every tool can be a read by default: a write that was forgotten would run unasked',
              hint: 'Name the tools that read',
            },
          ]
        : [];
    const names: unknown[] = Array.isArray(entry.tools) ? entry.tools : [];
    return names.flatMap((name, index) =>
      typeof name !== 'string' || known.includes(name)
        ? []
        : [
            {
              path: [...path, 'tools', index],
              message: `Tool "${name}" is not one of tools`,
              hint: sentence(suggest(name, known)),
            },
          ],
    );
  });
}
