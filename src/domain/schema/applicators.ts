import type { JsonSchema } from './json-schema.ts';
import type { Draft } from './keywords.ts';
import { compilePattern, type Pattern } from './pattern.ts';
import type { Run, Seen } from './run.ts';
import { isObject } from './values.ts';

/** Whether a value fits a schema; adds to `seen` what the schema looked at. */
export type Check = (value: unknown, run: Run, seen?: Seen) => boolean;

/** The compiled subschemas of one schema. */
export interface Inside {
  schema: JsonSchema;
  draft: Draft;
  one(keyword: string): Check | undefined;
  many(keyword: string): Check[];
  named(keyword: string): Map<string, Check>;
}

/** The checks of one schema's keywords that have subschemas, those of the same value first. */
export function applicatorsOf(inside: Inside): Check[] {
  return [
    membersCheck(inside),
    ...itemsChecks(inside),
    containsCheck(inside),
    namesCheck(inside),
    ...inside.many('allOf'),
    anyOf(inside.many('anyOf')),
    oneOf(inside.many('oneOf')),
    not(inside.one('not')),
    condition(inside),
    dependent(new Map([...inside.named('dependentSchemas'), ...inside.named('dependencies')])),
  ].filter((check) => check !== undefined);
}

/** What `unevaluatedProperties` and `unevaluatedItems` say of the rest; they come last. */
export function unevaluatedOf(inside: Inside): Check[] {
  const members = inside.one('unevaluatedProperties');
  const items = inside.one('unevaluatedItems');
  const declares = saysSomething(inside.schema.unevaluatedProperties);
  const checks: Check[] = [];
  if (members)
    checks.push((value, run, seen) => {
      if (!isObject(value)) return true;
      return Object.keys(value).every((name) => {
        if (seen?.members.has(name)) return true;
        const fits = other(value, name, members, inside.schema.unevaluatedProperties, run);
        if (fits && declares) run.declare(value, name);
        seen?.members.add(name);
        return fits;
      });
    });
  if (items)
    checks.push((value, run, seen) => {
      if (!Array.isArray(value)) return true;
      return value.every((item, at) => {
        if (seen?.items.has(at)) return true;
        seen?.items.add(at);
        return checkAt(at, item, items, run);
      });
    });
  return checks;
}

export const newSeen = (): Seen => ({ members: new Set(), items: new Set() });

function addSeen(from: Seen | undefined, to: Seen | undefined): void {
  if (from === undefined || to === undefined) return;
  for (const name of from.members) to.members.add(name);
  for (const at of from.items) to.items.add(at);
}

/** A form that need not fit: only where it does, what it looked at counts. */
function attempt(check: Check, value: unknown, run: Run, seen: Seen | undefined): boolean {
  const own = seen && newSeen();
  const fits = run.attempt(() => check(value, run, own));
  if (fits) addSeen(own, seen);
  return fits;
}

/** A schema that allows everything declares nothing. */
const saysSomething = (schema: unknown): boolean => isObject(schema) && Object.keys(schema).length > 0;

/** A member that is named nowhere: its name is the agent's own word, so no message repeats it. */
function other(
  value: Readonly<Record<string, unknown>>,
  name: string,
  check: Check,
  schema: unknown,
  run: Run,
): boolean {
  if (schema === false) return run.refuse(`has no property ${JSON.stringify(name.slice(0, 64))}`);
  return checkAt('*', value[name], check, run);
}

function checkAt(step: string | number, value: unknown, check: Check, run: Run): boolean {
  run.enter(step);
  const fits = check(value, run);
  run.leave();
  return fits;
}

function membersCheck({ schema, one, named }: Inside): Check | undefined {
  const properties = named('properties');
  const patterns = [...named('patternProperties')].map(([source, check]): [Pattern, Check] => [
    compilePattern(source),
    check,
  ]);
  const rest = one('additionalProperties');
  const declares = saysSomething(schema.additionalProperties);
  if (properties.size === 0 && patterns.length === 0 && rest === undefined) return undefined;
  return (value, run, seen) => {
    if (!isObject(value)) return true;
    for (const name of Object.keys(value)) {
      run.meter.spend(1);
      const own = properties.get(name);
      const matching = patterns.length === 0 ? NONE : checksFor(name, patterns, run);
      const isNamed = own !== undefined || matching.length > 0;
      if (!isNamed && rest === undefined) continue;
      seen?.members.add(name);
      if (isNamed || declares) run.declare(value, name);
      if (own && !checkAt(name, value[name], own, run)) return false;
      for (const check of matching) if (!checkAt('*', value[name], check, run)) return false;
      if (!isNamed && rest && !other(value, name, rest, schema.additionalProperties, run)) return false;
    }
    return true;
  };
}

const NONE: readonly Check[] = [];

const checksFor = (name: string, patterns: readonly [Pattern, Check][], run: Run): Check[] =>
  patterns.filter(([pattern]) => pattern.test(name, run.meter)).map(([, check]) => check);

function itemsChecks({ schema, draft, one, many }: Inside): Check[] {
  const listed = draft === '2020-12' ? many('prefixItems') : Array.isArray(schema.items) ? many('items') : [];
  const rest =
    draft === '2020-12'
      ? one('items')
      : Array.isArray(schema.items)
        ? one('additionalItems')
        : many('items')[0];
  if (listed.length === 0 && rest === undefined) return [];
  return [
    (value, run, seen) => {
      if (!Array.isArray(value)) return true;
      return value.every((item, at) => {
        const check = listed[at] ?? rest;
        if (check === undefined) return true;
        seen?.items.add(at);
        return checkAt(at, item, check, run);
      });
    },
  ];
}

function containsCheck({ schema, draft, one }: Inside): Check | undefined {
  const wanted = one('contains');
  if (wanted === undefined) return undefined;
  const least = typeof schema.minContains === 'number' && draft === '2020-12' ? schema.minContains : 1;
  const most =
    typeof schema.maxContains === 'number' && draft === '2020-12'
      ? schema.maxContains
      : Number.POSITIVE_INFINITY;
  return (value, run, seen) => {
    if (!Array.isArray(value)) return true;
    let count = 0;
    value.forEach((item, at) => {
      if (!run.attempt(() => wanted(item, run))) return;
      count++;
      seen?.items.add(at);
    });
    if (count < least) return run.refuse(`must contain at least ${least} of a kind`);
    return count <= most || run.refuse(`must contain at most ${most} of a kind`);
  };
}

function namesCheck({ one }: Inside): Check | undefined {
  const check = one('propertyNames');
  if (check === undefined) return undefined;
  return (value, run) =>
    !isObject(value) ||
    Object.keys(value).every((name) => run.attemptOnly(() => check(name, run))) ||
    run.refuse('has a property whose name does not fit');
}

function anyOf(checks: readonly Check[]): Check | undefined {
  if (checks.length === 0) return undefined;
  return (value, run, seen) => {
    let fits = false;
    // Every form that fits counts for what is declared and looked at, so none is left out.
    for (const check of checks) fits = attempt(check, value, run, seen) || fits;
    return fits || run.refuse('fits none of the forms in anyOf');
  };
}

function oneOf(checks: readonly Check[]): Check | undefined {
  if (checks.length === 0) return undefined;
  return (value, run, seen) => {
    const own = seen && newSeen();
    let count = 0;
    for (const check of checks) if (attempt(check, value, run, own)) count++;
    if (count === 1) addSeen(own, seen);
    if (count === 0) return run.refuse('fits none of the forms in oneOf');
    return count === 1 || run.refuse('fits more than one of the forms in oneOf');
  };
}

function not(check: Check | undefined): Check | undefined {
  return (
    check && ((value, run) => !run.attemptOnly(() => check(value, run)) || run.refuse('must not fit "not"'))
  );
}

function condition({ one }: Inside): Check | undefined {
  const [test, yes, no] = [one('if'), one('then'), one('else')];
  if (test === undefined) return undefined;
  return (value, run, seen) => (attempt(test, value, run, seen) ? yes : no)?.(value, run, seen) ?? true;
}

function dependent(byName: ReadonlyMap<string, Check>): Check | undefined {
  if (byName.size === 0) return undefined;
  return (value, run, seen) =>
    !isObject(value) ||
    [...byName].every(([name, check]) => !Object.hasOwn(value, name) || check(value, run, seen));
}
