import type { Tool } from '../agent.ts';
import { isObjectSchema } from '../cel/types.ts';
import { type ManifestPath, pathText } from '../problem.ts';
import { asSchema, type JsonSchema, propertyOf } from '../schema/json-schema.ts';
import { plainView } from '../schema/view.ts';
import { spellUnseen } from '../unseen.ts';
import { REDACTED, redactArgs } from './redact.ts';

/** What an envelope needs to know of a tool. */
export type EnvelopeTool = Pick<Tool, 'args' | 'redact'>;

type Args = Readonly<Record<string, unknown>>;

/** How CEL names one value, and what its schema lets CEL do with it. */
interface Place {
  text: string;
  path: ManifestPath;
  schema: JsonSchema | undefined;
  /** Only names with dots between: `has()` takes nothing else. */
  dotted: boolean;
  /** Behind `dyn()`, where a missing member errs when it is read and need not be asked for before. */
  loose: boolean;
}

/** A condition has 2,000 characters, and each value takes at least four of them. */
const VALUES_MAX = 500;
const NAME = /^(?!(?:in|true|false|null)$)[A-Za-z_]\w*$/;
const ESCAPES: Readonly<Record<number, string>> = { 9: '\\t', 10: '\\n', 13: '\\r' };

/**
 * CEL that holds of these arguments: of the same members, the same text, bools and nulls, and of numbers between 0 and
 * the one here. `open` are the paths it says nothing about, such as redacted ones. Not checked for length or depth.
 */
export function envelopeText(args: Args, tool: EnvelopeTool): { text: string; open: string[] } {
  const writer = new Writer();
  const root = { text: 'args', path: [], schema: plainView(tool.args), dotted: true, loose: false };
  writer.value(args, maskOf(args, tool), root);
  return { text: writer.clauses.join(' && '), open: [...new Set(writer.open)] };
}

/** Whether arguments have more values than a condition can name: each takes some characters of it. */
export const hasTooMany = (args: Args): boolean => countTo(args, 0) > VALUES_MAX;

function countTo(value: unknown, before: number): number {
  if (typeof value !== 'object' || value === null) return before + 1;
  let count = before;
  for (const member of Object.values(value)) {
    count = countTo(member, count);
    if (count > VALUES_MAX) return count;
  }
  return count;
}

/** The paths that are redacted in these arguments. */
export function redactedPaths(args: Args, tool: EnvelopeTool): string[] {
  const open = new Set<string>();
  const look = (mask: unknown, path: ManifestPath): void => {
    if (mask === REDACTED) open.add(openPath(path));
    else if (Array.isArray(mask)) mask.forEach((item, at) => void look(item, [...path, at]));
    else if (isObject(mask)) for (const [key, member] of Object.entries(mask)) look(member, [...path, key]);
  };
  look(maskOf(args, tool), []);
  return [...open];
}

/**
 * The members that no condition can see, because the schema of their object declares others: CEL leaves them out. What
 * is redacted is not looked into.
 */
export const unseenMembers = (args: Args, tool: EnvelopeTool): string[] => [
  ...new Set(unseenAt(args, maskOf(args, tool), plainView(tool.args), [])),
];

/** The marker exactly where something is redacted: an agent may send the marker as text, and that hides nothing. */
const maskOf = (args: Args, tool: EnvelopeTool): unknown => redactArgs(tool, blank(args) as Args);

function blank(value: unknown): unknown {
  if (value === null) return null;
  if (Array.isArray(value)) return value.map(blank);
  return isObject(value)
    ? Object.fromEntries(Object.entries(value).map(([key, member]) => [key, blank(member)]))
    : 0;
}

class Writer {
  readonly clauses: string[] = [];
  readonly open: string[] = [];

  value(value: unknown, mask: unknown, place: Place): void {
    const { text } = place;
    if (mask === REDACTED) this.open.push(openPath(place.path));
    else if (Array.isArray(value)) this.#list(value, mask, place);
    else if (isObject(value)) this.#object(value, mask, place);
    else if (typeof value === 'string') this.clauses.push(`${text} == ${literal(value)}`);
    else if (typeof value === 'number') this.#number(value, text);
    else this.clauses.push(`${text} == ${String(value)}`);
  }

  /** Towards 0 and no further: who approves 100 has not approved -5000. */
  #number(value: number, text: string): void {
    this.clauses.push(
      `${text} >= ${numeral(Math.min(value, 0))}`,
      `${text} <= ${numeral(Math.max(value, 0))}`,
    );
  }

  #list(items: readonly unknown[], mask: unknown, place: Place): void {
    this.clauses.push(`size(${place.text}) == ${items.length}`);
    const before = this.clauses.length;
    items.forEach((item, at) => {
      const schema = asSchema(place.schema?.items);
      const text = `${place.text}[${at}]`;
      const inside = { ...place, text, schema, path: [...place.path, at], dotted: false };
      this.value(item, memberOf(mask, at), inside);
    });
    if (this.clauses.length === before && place.schema?.type !== 'array') this.#type(place, 'list');
  }

  #object(value: Args, mask: unknown, place: Place): void {
    const typed = place.schema !== undefined && isObjectSchema(place.schema);
    const declared = namesOf(place.schema);
    if (typed && declared.length > 0) this.#absent(value, declared, place);
    else this.clauses.push(`size(${place.text}) == ${Object.keys(value).length}`);
    const before = this.clauses.length;
    for (const key of Object.keys(value).sort()) {
      if (declared.length > 0 && propertyOf(place.schema, key) === undefined) continue;
      this.value(value[key], memberOf(mask, key), this.#member(place, key));
    }
    if (this.clauses.length === before && !typed) this.#type(place, 'map');
  }

  /** What has no member of its own to tell it by: "", [] and {} are all of size 0. */
  #type({ text }: Place, type: 'list' | 'map'): void {
    this.clauses.push(`type(${text}) == ${type}`);
  }

  /** `has()` takes no index: what stands behind one gets a name by a walk over a list of it alone. */
  #absent(value: Args, declared: readonly string[], { text, path, dotted }: Place): void {
    const absent = declared.filter((key) => !Object.hasOwn(value, key)).sort();
    for (const key of absent) if (!NAME.test(key)) this.open.push(openPath([...path, key]));
    const lacks = absent
      .filter((key) => NAME.test(key))
      .map((key) => `!has(${dotted ? text : 'i'}.${key})`)
      .join(' && ');
    if (lacks !== '') this.clauses.push(dotted ? lacks : `[${text}].all(i, ${lacks})`);
  }

  #member(place: Place, key: string): Place {
    const { schema, text, path, dotted, loose } = place;
    const named = NAME.test(key);
    const inside = (owner: string): Place => ({
      text: named ? `${owner}.${key}` : `${owner}[${literal(key)}]`,
      path: [...path, key],
      schema: propertyOf(schema, key) ?? asSchema(schema?.additionalProperties),
      dotted: dotted && named && owner === text,
      loose: loose || owner !== text,
    });
    if (loose || !mayBeAbsent(schema, key)) return inside(text);
    if (named && dotted) this.clauses.push(`has(${text}.${key})`);
    else if (namesOf(schema).length === 0) this.clauses.push(`${literal(key)} in ${text}`);
    else return inside(`dyn(${text})`);
    return inside(text);
  }
}

const mayBeAbsent = (schema: JsonSchema | undefined, key: string): boolean =>
  schema !== undefined &&
  isObjectSchema(schema) &&
  !(Array.isArray(schema.required) && schema.required.includes(key));

function unseenAt(
  value: unknown,
  mask: unknown,
  schema: JsonSchema | undefined,
  path: ManifestPath,
): string[] {
  if (mask === REDACTED) return [];
  if (Array.isArray(value))
    return value.flatMap((item, at) =>
      unseenAt(item, memberOf(mask, at), asSchema(schema?.items), [...path, at]),
    );
  if (!isObject(value)) return [];
  const declares = namesOf(schema).length > 0;
  return Object.entries(value).flatMap(([key, member]) => {
    const inside = propertyOf(schema, key);
    if (declares && inside === undefined) return [openPath([...path, key])];
    const memberSchema = inside ?? asSchema(schema?.additionalProperties);
    return unseenAt(member, memberOf(mask, key), memberSchema, [...path, key]);
  });
}

const namesOf = (schema: JsonSchema | undefined): string[] => Object.keys(asSchema(schema?.properties) ?? {});

const isObject = (value: unknown): value is Args =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const memberOf = (value: unknown, key: string | number): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string | number, unknown>)[key]
    : undefined;

/** Written as redactions are: `passengers[].dob`. */
const openPath = (path: ManifestPath): string =>
  path
    .map((key) => (typeof key === 'number' ? '[]' : pathText(['args', key]).slice('args'.length)))
    .join('')
    .replace(/^\./, '');

/** A CEL text; characters that cannot be seen are escaped, because people read what they approve. */
const literal = (text: string): string =>
  `"${spellUnseen(text.replace(/["\\]/g, '\\$&'), (codePoint) => ESCAPES[codePoint] ?? escapeOf(codePoint))}"`;

const escapeOf = (codePoint: number): string => {
  const digits = codePoint.toString(16);
  return codePoint > 0xffff ? `\\U${digits.padStart(8, '0')}` : `\\u${digits.padStart(4, '0')}`;
};

/** An integer beyond 2^53 is none of CEL's: it is written as a double. */
const numeral = (value: number): string =>
  Number.isInteger(value) && !Number.isSafeInteger(value) ? value.toExponential() : String(value + 0);
