import { applicatorsOf, type Check, type Inside, newSeen, unevaluatedOf } from './applicators.ts';
import { assertionOf } from './assertions.ts';
import { asSchema, type JsonSchema } from './json-schema.ts';
import type { Subschema } from './keywords.ts';
import type { Place, SchemaIndex } from './refs.ts';
import type { Run } from './run.ts';

/**
 * Turns a document into one check. Ours and no library's: each step is counted, so that no arguments hold the
 * service, patterns run on RE2, decimals are exact, and what a schema does not declare can be told. Held to the
 * official test suites.
 * @throws Error for a pattern, format or reference that cannot be checked.
 */
export function validatorOf(index: SchemaIndex): Check {
  const compiled = new Map<Place, Check>();
  const checkOf = (place: Place): Check => {
    const known = compiled.get(place);
    if (known) return known;
    let own: Check | undefined;
    // A schema may lead back to itself: it is found here before it is ready.
    compiled.set(place, (value, run, seen) => own?.(value, run, seen) ?? false);
    own = compile(place, index, checkOf);
    compiled.set(place, own);
    return own;
  };
  return checkOf(index.root);
}

function compile(place: Place, index: SchemaIndex, checkOf: (place: Place) => Check): Check {
  const { schema: given } = place;
  if (given === true) return () => true;
  const schema = asSchema(given);
  if (schema === undefined) return (_value, run) => run.refuse('is not allowed');
  const reference = referenceOf(place, schema, index, checkOf);
  if (index.draft === '7' && reference) return reference;
  const inside = insideOf(place, schema, index, checkOf);
  const tests = Object.entries(schema).flatMap(([keyword, held]): Check[] => {
    const test = assertionOf(keyword, held, index.draft);
    return test ? [(value, run) => test(value, run)] : [];
  });
  const checks = [...tests, ...(reference ? [reference] : []), ...applicatorsOf(inside)];
  const last = unevaluatedOf(inside);
  if (last.length === 0) return (value, run, seen) => all(checks, value, run, seen);
  return (value, run, seen) => {
    // Only its own keywords count for `unevaluated`, not those of whoever refers to it.
    const own = newSeen();
    if (!all([...checks, ...last], value, run, own)) return false;
    for (const name of own.members) seen?.members.add(name);
    for (const at of own.items) seen?.items.add(at);
    return true;
  };
}

function all(checks: readonly Check[], value: unknown, run: Run, seen: Parameters<Check>[2]): boolean {
  run.meter.spend(1 + checks.length);
  return checks.every((check) => check(value, run, seen));
}

function referenceOf(
  place: Place,
  schema: JsonSchema,
  index: SchemaIndex,
  checkOf: (place: Place) => Check,
): Check | undefined {
  if (typeof schema.$ref !== 'string') return undefined;
  const target = index.target(place, schema.$ref);
  if (target === undefined) throw new Error(`"${schema.$ref}" is not in this schema`);
  const check = checkOf(target);
  return (value, run, seen) => run.deeper(() => check(value, run, seen));
}

function insideOf(
  place: Place,
  schema: JsonSchema,
  index: SchemaIndex,
  checkOf: (place: Place) => Check,
): Inside {
  const of = (keyword: string): [Subschema, Check][] =>
    index
      .inside(place)
      .filter((inner) => inner.keyword === keyword)
      .map((inner) => [inner, checkOf(inner.place)]);
  return {
    schema,
    draft: index.draft,
    one: (keyword) => of(keyword)[0]?.[1],
    many: (keyword) => of(keyword).map(([, check]) => check),
    named: (keyword) => new Map(of(keyword).map(([{ path }, check]) => [String(path[1]), check])),
  };
}
