import { isMultipleOf } from './decimal.ts';
import { formatOf } from './formats.ts';
import type { Draft, JsonType } from './keywords.ts';
import { compilePattern } from './pattern.ts';
import type { Run } from './run.ts';
import { isObject, isOfType, type JsonObject, longerThan, sameKey, shorterThan } from './values.ts';

/** Whether a value fits, as far as one keyword goes. */
export type Test = (value: unknown, run: Run) => boolean;

type Make = (given: never, draft: Draft) => Test;

const ofNumber =
  (test: (value: number) => boolean, message: string): Test =>
  (value, run) =>
    typeof value !== 'number' || test(value) || run.refuse(message);

const ofText =
  (test: (value: string, run: Run) => boolean, message: string): Test =>
  (value, run) =>
    typeof value !== 'string' || test(value, run) || run.refuse(message);

const ofList =
  (test: (value: readonly unknown[], run: Run) => boolean, message: string): Test =>
  (value, run) =>
    !Array.isArray(value) || test(value, run) || run.refuse(message);

const ofObject =
  (test: (value: JsonObject, run: Run) => boolean, message: string): Test =>
  (value, run) =>
    !isObject(value) || test(value, run) || run.refuse(message);

const items = (count: number): string => `${count} ${count === 1 ? 'item' : 'items'}`;
const characters = (count: number): string => `${count} ${count === 1 ? 'character' : 'characters'}`;
const properties = (count: number): string => `${count} ${count === 1 ? 'property' : 'properties'}`;

const MAKERS: Readonly<Record<string, Make>> = {
  type: (types: JsonType | JsonType[]) => {
    const list = [types].flat();
    const message = `must be ${list.join(' or ')}`;
    return (value, run) => list.some((type) => isOfType(value, type)) || run.refuse(message);
  },
  enum: (values: unknown[]) => ofValues(values, 'must be one of the values that its schema lists'),
  const: (value: unknown) => ofValues([value], 'must be the one value that its schema allows'),
  format: (name: string) => {
    const format = formatOf(name);
    if (format === undefined) throw new Error(`format "${name}" is not known`);
    return (value, run) => {
      if (!isOfType(value, format.about)) return true;
      if (typeof value === 'string') {
        if (value.length > format.lengthMax) return run.refuse(`is too long to be of format "${name}"`);
        run.meter.spend(1 + value.length / FORMAT_PER_STEP);
      }
      return format.test(value) || run.refuse(`must be of format "${name}"`);
    };
  },
  multipleOf: (step: number) =>
    ofNumber((value) => isMultipleOf(value, step), `must be a multiple of ${step}`),
  maximum: (most: number) => ofNumber((value) => value <= most, `must be at most ${most}`),
  exclusiveMaximum: (most: number) => ofNumber((value) => value < most, `must be less than ${most}`),
  minimum: (least: number) => ofNumber((value) => value >= least, `must be at least ${least}`),
  exclusiveMinimum: (least: number) => ofNumber((value) => value > least, `must be more than ${least}`),
  maxLength: (most: number) =>
    ofText((value, { meter }) => !longerThan(value, most, meter), `must have at most ${characters(most)}`),
  minLength: (least: number) =>
    ofText(
      (value, { meter }) => !shorterThan(value, least, meter),
      `must have at least ${characters(least)}`,
    ),
  pattern: (source: string) => {
    const pattern = compilePattern(source);
    return ofText(
      (value, { meter }) => pattern.test(value, meter),
      `must match pattern "${source.slice(0, 200)}"`,
    );
  },
  maxItems: (most: number) => ofList((value) => value.length <= most, `must have at most ${items(most)}`),
  minItems: (least: number) => ofList((value) => value.length >= least, `must have at least ${items(least)}`),
  uniqueItems: (unique: boolean) =>
    unique ? ofList(areUnique, 'must not have the same item twice') : () => true,
  maxProperties: (most: number) =>
    ofObject((value) => Object.keys(value).length <= most, `must have at most ${properties(most)}`),
  minProperties: (least: number) =>
    ofObject((value) => Object.keys(value).length >= least, `must have at least ${properties(least)}`),
  required: (names: string[]) => (value, run) => !isObject(value) || hasAll(value, names, run),
  dependentRequired: (byName: Record<string, string[]>) => ofDependent(byName),
  dependencies: (byName: Record<string, unknown>) =>
    ofDependent(
      Object.fromEntries(
        Object.entries(byName).flatMap(([name, held]) => (Array.isArray(held) ? [[name, held]] : [])),
      ),
    ),
};

/** How many characters a format is looked for in while one step passes. */
const FORMAT_PER_STEP = 16;

/** The test of a keyword that has no subschemas; nothing when it is not one of these. */
export function assertionOf(keyword: string, given: unknown, draft: Draft): Test | undefined {
  const make = Object.hasOwn(MAKERS, keyword) ? MAKERS[keyword] : undefined;
  return make?.(given as never, draft);
}

function ofValues(values: readonly unknown[], message: string): Test {
  const scalars = new Set(values.filter((value) => typeof value !== 'object' || value === null));
  let keys: ReadonlySet<string> | undefined;
  return (value, run) => {
    if (typeof value !== 'object' || value === null) return scalars.has(value) || run.refuse(message);
    if (scalars.size === values.length) return run.refuse(message);
    keys ??= new Set(values.map((one) => sameKey(one, run.meter)));
    return keys.has(sameKey(value, run.meter)) || run.refuse(message);
  };
}

function areUnique(value: readonly unknown[], { meter }: Run): boolean {
  const seen = new Set<string>();
  for (const item of value) {
    const key = sameKey(item, meter);
    if (seen.has(key)) return false;
    seen.add(key);
  }
  return true;
}

function hasAll(value: JsonObject, names: readonly string[], run: Run): boolean {
  const missing = names.find((name) => !Object.hasOwn(value, name));
  return missing === undefined || run.refuse(`must have property ${JSON.stringify(missing.slice(0, 64))}`);
}

function ofDependent(byName: Readonly<Record<string, readonly string[]>>): Test {
  const needs = Object.entries(byName);
  return (value, run) =>
    !isObject(value) ||
    needs.every(([name, names]) => !Object.hasOwn(value, name) || hasAll(value, names, run));
}
