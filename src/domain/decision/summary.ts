import { spellLine } from '../unseen.ts';
import type { CompiledTool } from './compiled.ts';
import { REDACTED, redact } from './redact.ts';

const VALUE_LENGTH_MAX = 80;
const SUMMARY_LENGTH_MAX = 280;
const PLACEHOLDER = /\{([^{}]+)\}/g;

/** The names inside the braces of a summary. */
export const placeholdersOf = (summary: string): string[] =>
  [...summary.matchAll(PLACEHOLDER)].map((match) => match[1] ?? '');

/** One line on what the action would do, in the tool's words; redacted values never appear in it. */
export function renderSummary(tool: CompiledTool, args: Readonly<Record<string, unknown>>): string {
  const shown = redact(tool, args);
  const template = tool.tool.summary;
  const line =
    template === undefined
      ? `${tool.name} ${Object.entries(shown)
          .map(([key, value]) => `${plain(key)}=${textOf(value)}`)
          .join(' ')}`.trim()
      : template.replace(PLACEHOLDER, (_, path: string) => textOf(valueAt(shown, path)));
  return line.length > SUMMARY_LENGTH_MAX ? `${cut(line, SUMMARY_LENGTH_MAX - 1)}…` : line;
}

function valueAt(value: unknown, path: string): unknown {
  let here = value;
  for (const name of path.split('.')) {
    if (here === REDACTED) return REDACTED;
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, name)) return undefined;
    here = (here as Record<string, unknown>)[name];
  }
  return here;
}

function textOf(value: unknown): string {
  if (value === undefined) return '(none)';
  const text = plain(typeof value === 'string' ? value : (JSON.stringify(value) ?? '(none)'));
  return text.length > VALUE_LENGTH_MAX ? `${cut(text, VALUE_LENGTH_MAX - 1)}…` : text;
}

/** Characters that cannot be seen are spelled out: an agent must not be able to dress up the line people approve. */
const plain = (text: string): string => spellLine(text, (codePoint) => `\\u{${codePoint.toString(16)}}`);

const cut = (text: string, length: number): string => text.slice(0, length).replace(/\p{Surrogate}$/u, '');
