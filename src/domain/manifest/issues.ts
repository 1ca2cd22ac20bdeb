import type { z } from 'zod';
import { suggest } from '../nearest.ts';
import type { CheckProblem, ManifestPath } from '../problem.ts';
import { pathText, sentence } from '../problem.ts';
import { asSchema, type JsonSchema, propertyOf } from '../schema/json-schema.ts';
import { valueAt } from './respelled.ts';

type Issue = z.core.$ZodIssue;

/** What zod says, as problems in words: what is wrong and how to mend it. */
export class IssueReader {
  constructor(
    readonly value: unknown,
    readonly schema: JsonSchema,
  ) {}

  /** One issue may hold several problems, such as several unknown keys. */
  read(issue: Issue, above: ManifestPath = []): CheckProblem[] {
    const path = [...above, ...issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key))];
    switch (issue.code) {
      case 'unrecognized_keys':
        return issue.keys.map((key) => this.#unknownKey(path, key));
      case 'invalid_union':
        return this.#union(issue, path);
      case 'invalid_key':
        return [
          {
            path,
            atKey: true,
            message: `"${lastOf(path)}" cannot be a name here`,
            hint: this.#nested(issue.issues),
          },
        ];
      case 'invalid_type':
        return [this.#invalidType(path, issue.expected)];
      case 'invalid_value':
        return [this.#invalidValue(path, issue.values)];
      case 'too_small':
        return [this.#tooSmall(path, issue)];
      case 'too_big':
        return [{ path, message: `${nameOf(path)} is too large`, hint: `Write at most ${issue.maximum}` }];
      case 'custom':
        return [
          {
            path,
            message: `${nameOf(path)} cannot be ${shown(valueAt(this.value, path))}`,
            hint: sentence(issue.message),
          },
        ];
      default:
        return [{ path, message: `${nameOf(path)} is not valid`, hint: sentence(issue.message) }];
    }
  }

  #unknownKey(parent: ManifestPath, key: string): CheckProblem {
    const path = [...parent, key];
    const baselineExposure = key === 'exposure' && lastOf(parent) === 'baseline';
    const hint = baselineExposure
      ? 'Leave it out: baseline exposes nobody'
      : sentence(suggest(key, Object.keys(asSchema(this.#schemaAt(parent)?.properties) ?? {})));
    return { path, atKey: true, message: `Unknown key "${key}"`, hint };
  }

  /** The branch the writer meant: the one whose own kind of value it is. */
  #union(issue: Extract<Issue, { code: 'invalid_union' }>, path: ManifestPath): CheckProblem[] {
    const meant = issue.errors.find(
      (branch) =>
        !branch.some(
          ({ path: at, code }) => at.length === 0 && (code === 'invalid_type' || code === 'invalid_value'),
        ),
    );
    if (meant) return meant.flatMap((inner) => this.read(inner, path));
    const ofText = issue.errors
      .flat()
      .some((inner) => inner.code === 'invalid_type' && inner.expected === 'string');
    if (ofText && isPlain(valueAt(this.value, path)))
      return [
        {
          path,
          message: `${nameOf(path)} is read as ${shown(valueAt(this.value, path))}`,
          hint: 'Put it in quotes',
        },
      ];
    const kinds = issue.errors
      .flat()
      .flatMap((inner) => (inner.code === 'invalid_type' ? [KINDS[inner.expected] ?? inner.expected] : []));
    return [
      {
        path,
        message: `${nameOf(path)} has the wrong kind of value`,
        hint: `Write ${[...new Set(kinds)].join(' or ')}`,
      },
    ];
  }

  #nested(issues: readonly Issue[]): string {
    const [first] = issues;
    if (first?.code === 'invalid_format' && first.message.startsWith('Invalid string'))
      return 'Use letters, digits and "_", and begin with a letter';
    return sentence(first?.message ?? 'use another name');
  }

  #invalidType(path: ManifestPath, expected: string): CheckProblem {
    const kind = KINDS[expected] ?? expected;
    const given = valueAt(this.value, path);
    if (given === undefined)
      return {
        path,
        message: `${nameOf(path)} is missing`,
        hint: MISSING_HINTS[lastOf(path)] ?? `Add ${nameOf(path)}: ${kind}`,
      };
    const hint = expected === 'string' && isPlain(given) ? 'Put it in quotes' : `Write ${kind}`;
    return { path, message: `${nameOf(path)} is ${kindOf(given)}, not ${kind}`, hint };
  }

  #invalidValue(path: ManifestPath, values: readonly unknown[]): CheckProblem {
    const given = valueAt(this.value, path);
    const known = values.map(String);
    if (given === undefined)
      return { path, message: `${nameOf(path)} is missing`, hint: `Write one of ${known.join(', ')}` };
    const like = typeof given === 'string' ? suggest(given, known) : '';
    const hint = like.startsWith('did')
      ? `${sentence(like)} One of ${known.join(', ')}`
      : `Write one of ${known.join(', ')}`;
    return { path, message: `${nameOf(path)} cannot be ${shown(given)}`, hint };
  }

  #tooSmall(path: ManifestPath, issue: Extract<Issue, { code: 'too_small' }>): CheckProblem {
    if (issue.origin !== 'array') {
      const bound = issue.inclusive === false ? `more than ${issue.minimum}` : `at least ${issue.minimum}`;
      return {
        path,
        message: `${nameOf(path)} is too small`,
        hint: `Write ${bound}${issue.origin === 'string' ? ' characters' : ''}`,
      };
    }
    const people = path[0] === 'owners' || path[0] === 'onCall' || path[0] === 'approvers';
    return people
      ? {
          path,
          atKey: true,
          message: `${pathText(path)} has nobody in it`,
          hint: 'Name at least one of people',
        }
      : {
          path,
          atKey: true,
          message: `${nameOf(path)} is empty`,
          hint: 'Add at least one entry, or leave it out',
        };
  }

  #schemaAt(path: ManifestPath): JsonSchema | undefined {
    let here: JsonSchema | undefined = this.schema;
    for (const key of path) {
      const branches: (JsonSchema | undefined)[] = Array.isArray(here?.anyOf)
        ? here.anyOf.map(asSchema)
        : [here];
      here = branches
        .map((branch) =>
          typeof key === 'number'
            ? asSchema(branch?.items)
            : (propertyOf(branch, key) ?? asSchema(branch?.additionalProperties)),
        )
        .find((next) => next !== undefined);
    }
    const branches: (JsonSchema | undefined)[] = Array.isArray(here?.anyOf)
      ? here.anyOf.map(asSchema)
      : [here];
    return branches.find((branch) => asSchema(branch?.properties) !== undefined) ?? here;
  }
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map of keys',
  record: 'a map of keys',
};

const MISSING_HINTS: Readonly<Record<string, string>> = {
  owners: 'Add owners: [<one of people>]: somebody has to answer for the agent',
  people: 'Add people: with one entry for each person, such as ana: {}',
  approvers: 'Add approvers: with a group of people, such as desk: [ana]',
  grants: 'Add grants: with one entry for each thing the agent may do',
};

/** What YAML makes of text without quotes. */
const isPlain = (value: unknown): boolean =>
  value === null || typeof value === 'number' || typeof value === 'boolean';

function kindOf(value: unknown): string {
  if (value === null) return 'empty';
  return KINDS[Array.isArray(value) ? 'array' : typeof value] ?? typeof value;
}

const lastOf = (path: ManifestPath): string => String(path.at(-1) ?? '');
const nameOf = (path: ManifestPath): string =>
  path.length === 0 ? 'The manifest' : `"${typeof path.at(-1) === 'number' ? pathText(path) : lastOf(path)}"`;
const shown = (value: unknown): string => (JSON.stringify(value) ?? 'that').slice(0, 60);
