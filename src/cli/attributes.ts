import type { Agent } from '../domain/agent.ts';
import { suggest } from '../domain/nearest.ts';
import { sentence } from '../domain/problem.ts';
import { CliError } from './failure.ts';

type Types = Agent['attributes'];

/**
 * `tier=gold age=30` as attributes: by the types the agent declares, or by their looks where it is not known.
 * @throws CliError `usage`
 */
export function attributesOf(given: readonly string[], types?: Types): Record<string, unknown> {
  return Object.fromEntries(given.map((text) => attributeOf(text, types)));
}

function attributeOf(text: string, types: Types | undefined): [string, unknown] {
  const at = text.indexOf('=');
  if (at < 1)
    throw new CliError('usage', `--attribute: "${text}" is not name=value`, { hint: 'Write tier=gold' });
  const [name, value] = [text.slice(0, at), text.slice(at + 1)];
  if (!types) return [name, byLooks(value)];
  const type = Object.hasOwn(types, name) ? types[name] : undefined;
  if (!type)
    throw new CliError('usage', `--attribute: the agent declares no attribute "${name}"`, {
      hint: sentence(suggest(name, Object.keys(types))),
    });
  const read = type === 'string' ? value : byLooks(value);
  const fits = {
    string: true,
    bool: typeof read === 'boolean',
    int: Number.isSafeInteger(read),
    double: typeof read === 'number',
  }[type];
  if (fits) return [name, read];
  throw new CliError('usage', `--attribute: "${value}" is no value of "${name}", which is ${type}`);
}

/** Only what a number is always written like is one: 007 and 1e3 are text. */
function byLooks(value: string): unknown {
  if (value === 'true' || value === 'false') return value === 'true';
  return value !== '' && String(Number(value)) === value && Number.isFinite(Number(value))
    ? Number(value)
    : value;
}
