import { EVERY_MEMBER } from '../schema/every-member.ts';

/** Stands where a redacted value was. */
export const REDACTED = '[redacted]';

/** One step of a redaction path: a member's name, or `*` for every member, and how many `[]` follow it. */
export interface RedactStep {
  name: string;
  lists: number;
}

/** What says which arguments are covered. */
interface Redacting {
  redactions: readonly (readonly RedactStep[])[];
}

/** `passengers[].dob` as steps. */
export const parseRedactPath = (path: string): RedactStep[] =>
  path.split('.').map((part) => {
    const name = part.replace(/(\[\])+$/, '');
    return { name, lists: (part.length - name.length) / 2 };
  });

/**
 * The arguments with every redacted path replaced by the marker. Fails closed: a value of another shape than the
 * path expects is replaced whole, and so is everything of a tool that is not known.
 */
export function redact(
  tool: Redacting | undefined,
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
  const isMeant = (key: string): boolean => step.name === EVERY_MEMBER || key === step.name;
  if (!Object.keys(value).some(isMeant)) return value;
  const entries = Object.entries(value).map(([key, member]): [string, unknown] => [
    key,
    isMeant(key) ? redactLists(member, step.lists, rest) : member,
  ]);
  return Object.fromEntries(entries);
}

function redactLists(value: unknown, lists: number, rest: readonly RedactStep[]): unknown {
  if (lists === 0) return redactAt(value, rest);
  if (value === null || value === undefined) return value;
  return Array.isArray(value) ? value.map((item) => redactLists(item, lists - 1, rest)) : REDACTED;
}
