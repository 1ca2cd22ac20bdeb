import { type ManifestKind, manifestJsonSchema } from './json-schemas.ts';

/** One member that a manifest may have. */
export interface Member {
  /** `metrics.*.perMax`: `*` is every name, `[]` every entry of a list. */
  path: string;
  /** What it is; undefined where its schema says nothing. */
  about: string | undefined;
  /** The words that it may be, where they are listed. */
  values: readonly string[];
  fallback: unknown;
  required: boolean;
}

interface Schema {
  description?: string;
  type?: string;
  default?: unknown;
  enum?: readonly unknown[];
  const?: unknown;
  required?: readonly string[];
  properties?: Readonly<Record<string, Schema>>;
  items?: Schema;
  additionalProperties?: Schema | boolean;
  anyOf?: readonly Schema[];
}

/** Every member of a kind of manifest, in the order of its schema; one that several forms have, once. */
export function membersOf(kind: ManifestKind): Member[] {
  const found = new Map<string, Member>();
  for (const member of membersIn(manifestJsonSchema(kind), ''))
    if (!found.has(member.path)) found.set(member.path, member);
  return [...found.values()];
}

function membersIn(schema: Schema, at: string): Member[] {
  const { properties = {}, required = [], items, additionalProperties: rest, anyOf = [] } = schema;
  return [
    ...anyOf.flatMap((one) => membersIn(one, at)),
    ...(items ? membersIn(items, `${at}[]`) : []),
    ...(typeof rest === 'object' ? membersIn(rest, `${at}.*`) : []),
    ...Object.entries(properties).flatMap(([name, member]) => {
      const path = at === '' ? name : `${at}.${name}`;
      const [about, fallback] = [member.description, member.default];
      return [
        { path, about, fallback, values: valuesOf(member), required: required.includes(name) },
        ...membersIn(member, path),
      ];
    }),
  ];
}

const valuesOf = ({ enum: words, const: word, items, anyOf = [] }: Schema): string[] => [
  ...(words ?? []).map(String),
  ...(word === undefined ? [] : [String(word)]),
  ...(items ? valuesOf(items) : []),
  ...anyOf.flatMap(valuesOf),
];
