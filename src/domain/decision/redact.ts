import { spellUnseen } from '../unseen.ts';
import type { CompiledTool } from './compile.ts';

/** Stands where a redacted value was. */
export const REDACTED = '[redacted]';

/** One step of a redaction path: a member's name and how many `[]` follow it. */
export interface RedactStep {
  name: string;
  lists: number;
}

const VALUE_LENGTH_MAX = 80;
const SUMMARY_LENGTH_MAX = 280;
const PLACEHOLDER = /\{([^{}]+)\}/g;

/** `passengers[].dob` as steps. */
export const parseRedactPath = (path: string): RedactStep[] =>
  path.split('.').map((part) => {
    const name = part.replace(/(\[\])+$/, '');
    return { name, lists: (part.length - name.length) / 2 };
  });

/** The names inside the braces of a summary. */
export const placeholdersOf = (summary: string): string[] =>
  [...summary.matchAll(PLACEHOLDER)].map((match) => match[1] ?? '');

/**
 * The arguments with every redacted path replaced by the marker. Fails closed: a value of another shape than the
 * path expects is replaced whole, and so is everything of a tool that is not known.
 */
export function redact(
  tool: Pick<CompiledTool, 'redactions'> | undefined,
  args: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  if (tool === undefined) return Object.fromEntries(Object.keys(args).map((key) => [key, REDACTED]));
  let redacted: unknown = args;
  for (const path of tool.redactions) redacted = redactAt(redacted, path);
  return redacted as Record<string, unknown>;
}

/** The redaction paths of a tool, as steps. */
export const redactionsOf = ({ redact: paths }: { redact: readonly string[] }): RedactStep[][] =>
  paths.map(parseRedactPath);

/** The arguments of a tool as people see them; of one that is not known every value is hidden. */
export const redactArgs = (
  tool: { redact: readonly string[] } | undefined,
  args: Readonly<Record<string, unknown>>,
): Record<string, unknown> => redact(tool && { redactions: redactionsOf(tool) }, args);

function redactAt(value: unknown, path: readonly RedactStep[]): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value === undefined ? undefined : REDACTED;
  if (value === null || value === undefined) return value;
  if (typeof value !== 'object' || Array.isArray(value)) return REDACTED;
  if (!Object.hasOwn(value, step.name)) return value;
  const entries = Object.entries(value).map(([key, member]): [string, unknown] => [
    key,
    key === step.name ? redactLists(member, step.lists, rest) : member,
  ]);
  return Object.fromEntries(entries);
}

function redactLists(value: unknown, lists: number, rest: readonly RedactStep[]): unknown {
  if (lists === 0) return redactAt(value, rest);
  if (value === null || value === undefined) return value;
  return Array.isArray(value) ? value.map((item) => redactLists(item, lists - 1, rest)) : REDACTED;
}

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
const plain = (text: string): string => spellUnseen(text, (codePoint) => `\\u{${codePoint.toString(16)}}`);

const cut = (text: string, length: number): string => text.slice(0, length).replace(/\p{Surrogate}$/u, '');
