import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CliError } from './failure.ts';

/**
 * A JSON object given as text or as `@file`, read as exactly as the service will read it.
 * @throws CliError `usage`
 */
export async function jsonObject(
  option: string,
  given: string,
  cwd: string,
): Promise<Record<string, unknown>> {
  const { parseExactJson } = await import('../domain/exact-json.ts');
  const text = given.startsWith('@') ? await readFile(resolve(cwd, given.slice(1)), 'utf8') : given;
  const parsed = parseExactJson(text);
  if (!parsed.ok) {
    throw new CliError('usage', `${option}: ${parsed.message} at ${parsed.path}`, { hint: parsed.hint });
  }
  const { value } = parsed;
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new CliError('usage', `${option} is a JSON object`, {
    hint: `Write ${option} '{"to": "ana@example.org"}'`,
  });
}
