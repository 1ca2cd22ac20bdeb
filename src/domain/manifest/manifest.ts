import type { Agent } from '../agent.ts';
import { CASE_LENGTH_MAX, caseSchema, type RegressionCase } from '../cases/case.ts';
import { checkCase } from '../cases/check-case.ts';
import type { CheckProblem, Problem } from '../problem.ts';
import { type Rates, ratesSchema } from '../rates.ts';
import { type Release, releaseSchema } from '../release.ts';
import type { JsonSchema } from '../schema/json-schema.ts';
import { checkAgent } from './check-agent.ts';
import { checkRelease } from './check-release.ts';
import { IssueReader } from './issues.ts';
import { type ManifestKind, manifestJsonSchema } from './json-schemas.ts';
import { respelledProblems } from './respelled.ts';
import { bodySource, locateProblems, type ManifestSource, type ParsedText, parseText } from './source.ts';
import { agentFileSchema, checkToolDefaults, withToolDefaults } from './tool-defaults.ts';

export { type CheckProblem, formatProblems, type Problem } from '../problem.ts';
export type { ManifestKind } from './json-schemas.ts';

/** A manifest with every default filled in, or everything that is wrong with it. */
export type ManifestResult<T> =
  | { ok: true; value: T; source: ManifestSource }
  | { ok: false; problems: Problem[] };

type Checked<T> = { ok: true; value: T } | { ok: false; found: CheckProblem[] };

const PROBLEMS_MAX = 100;
const SCHEMAS = {
  agent: agentFileSchema,
  release: releaseSchema,
  rates: ratesSchema,
  case: caseSchema,
} as const;
/** What is governed, and what it may do: rates are neither. */
export type WholeManifestKind = Exclude<ManifestKind, 'rates' | 'case'>;

/**
 * Reads a manifest from YAML or JSON and checks it: its schema, its meaning and its conditions. A release is
 * checked against its agent when that is given. Never throws.
 */
export function readManifest(file: string, text: string, kind: 'agent'): ManifestResult<Agent>;
export function readManifest(
  file: string,
  text: string,
  kind: 'release',
  agent?: Agent,
): ManifestResult<Release>;
export function readManifest(
  file: string,
  text: string,
  kind: WholeManifestKind,
  agent?: Agent,
): ManifestResult<Agent | Release> {
  return checkParsed(parseText(file, text), kind, agent);
}

/** The same for a text that is parsed already. */
export function checkParsed(parsed: ParsedText, kind: 'agent'): ManifestResult<Agent>;
export function checkParsed(parsed: ParsedText, kind: 'release', agent?: Agent): ManifestResult<Release>;
export function checkParsed(
  parsed: ParsedText,
  kind: WholeManifestKind,
  agent?: Agent,
): ManifestResult<Agent | Release>;
export function checkParsed(
  parsed: ParsedText,
  kind: WholeManifestKind,
  agent?: Agent,
): ManifestResult<Agent | Release> {
  return parsed.ok ? checkValue(parsed.value, parsed.source, kind, agent) : parsed;
}

/** The same for a manifest that is already a value, such as a request body: problems carry paths, no lines. */
export function readManifestValue(value: unknown, kind: 'agent'): ManifestResult<Agent>;
export function readManifestValue(value: unknown, kind: 'release', agent?: Agent): ManifestResult<Release>;
export function readManifestValue(
  value: unknown,
  kind: WholeManifestKind,
  agent?: Agent,
): ManifestResult<Agent | Release> {
  return checkValue(value, bodySource(), kind, agent);
}

/** Reads one regression case from YAML or JSON. Never throws. */
export function readCase(file: string, text: string): ManifestResult<RegressionCase> {
  if (text.length > CASE_LENGTH_MAX) {
    const message = `The case has ${text.length} characters`;
    const hint = `Keep it under ${CASE_LENGTH_MAX}: shrink its arguments to what the decision reads`;
    return { ok: false, problems: [{ file, line: 1, column: 1, path: '', message, hint }] };
  }
  const parsed = parseText(file, text);
  return parsed.ok ? caseFrom(parsed.value, parsed.source) : parsed;
}

/** The same for a case that is already a value, such as a request body. */
export const readCaseValue = (value: unknown): ManifestResult<RegressionCase> =>
  caseFrom(value, bodySource());

function caseFrom(value: unknown, source: ManifestSource): ManifestResult<RegressionCase> {
  const checked = check<RegressionCase>(value, 'case', (read) => [
    ...respelledProblems(source.respelled, read),
    ...checkCase(read),
  ]);
  if (checked.ok) return { ok: true, value: checked.value, source };
  return { ok: false, problems: locateProblems(source, checked.found).slice(0, PROBLEMS_MAX) };
}

/** Reads rates from YAML or JSON; what they say of their agent is checked where that is known. Never throws. */
export function readRates(file: string, text: string): ManifestResult<Rates> {
  const parsed = parseText(file, text);
  if (!parsed.ok) return parsed;
  const { value, source } = parsed;
  const checked = check<Rates>(value, 'rates', (read) => respelledProblems(source.respelled, read));
  if (checked.ok) return { ok: true, value: checked.value, source };
  return { ok: false, problems: locateProblems(source, checked.found).slice(0, PROBLEMS_MAX) };
}

function checkValue(
  value: unknown,
  source: ManifestSource,
  kind: WholeManifestKind,
  agent?: Agent,
): ManifestResult<Agent | Release> {
  const respelled = (read: unknown) => respelledProblems(source.respelled, read);
  const checked: Checked<Agent | Release> =
    kind === 'agent'
      ? checkAgentFile(value, respelled)
      : check<Release>(value, kind, (read) => [
          ...respelled(read),
          ...(agent ? checkRelease(read, agent) : []),
        ]);
  if (checked.ok) return { ok: true, value: checked.value, source };
  return { ok: false, problems: locateProblems(source, checked.found).slice(0, PROBLEMS_MAX) };
}

/** With the defaults of several tools written out: nothing further knows of them. */
function checkAgentFile(value: unknown, respelled: (read: unknown) => CheckProblem[]): Checked<Agent> {
  const found = checkToolDefaults(value);
  const checked = check<Agent & { toolDefaults?: unknown }>(withToolDefaults(value), 'agent', (read) => [
    ...respelled(read),
    ...checkAgent(read),
  ]);
  if (!checked.ok) return { ok: false, found: [...found, ...checked.found] };
  if (found.length > 0) return { ok: false, found };
  const { toolDefaults: _, ...agent } = checked.value;
  return { ok: true, value: agent };
}

/** Unknown keys do not keep the rest from being checked: people want to see every problem at once. */
function check<T>(value: unknown, kind: ManifestKind, semantic: (value: T) => CheckProblem[]): Checked<T> {
  const hidden = findHiddenKeys(value);
  const parsed = SCHEMAS[kind].safeParse(value);
  if (parsed.success && hidden.length === 0) {
    const found = semantic(parsed.data as T);
    return found.length === 0 ? { ok: true, value: parsed.data as T } : { ok: false, found };
  }
  const issues = parsed.success ? [] : parsed.error.issues;
  const reader = new IssueReader(value, manifestJsonSchema(kind) as JsonSchema);
  const found = [...hidden, ...issues.flatMap((issue) => reader.read(issue))];
  const unknown = issues.filter((issue) => issue.code === 'unrecognized_keys');
  if (unknown.length < issues.length) return { ok: false, found };
  const trimmed = structuredClone(value);
  for (const issue of unknown) for (const key of issue.keys) removeAt(trimmed, issue.path, key);
  const again = SCHEMAS[kind].safeParse(trimmed);
  return { ok: false, found: again.success ? [...found, ...semantic(again.data as T)] : found };
}

function removeAt(value: unknown, path: readonly PropertyKey[], key: string): void {
  let here = value;
  for (const step of path) here = (here as Record<PropertyKey, unknown> | undefined)?.[step];
  if (typeof here === 'object' && here !== null) Reflect.deleteProperty(here, key);
}

/** `__proto__` vanishes when objects are copied: what is not seen cannot be checked. */
function findHiddenKeys(value: unknown, path: readonly (string | number)[] = []): CheckProblem[] {
  if (typeof value !== 'object' || value === null || path.length > 64) return [];
  const own: CheckProblem[] = Object.hasOwn(value, '__proto__')
    ? [
        {
          path: [...path, '__proto__'],
          atKey: true,
          message: 'The key "__proto__" is refused',
          hint: 'Use another name',
        },
      ]
    : [];
  const entries: [string | number, unknown][] = Array.isArray(value)
    ? [...value.entries()]
    : Object.entries(value);
  return [...own, ...entries.flatMap(([key, member]) => findHiddenKeys(member, [...path, key]))];
}
