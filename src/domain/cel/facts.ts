import { type JsonSchema, propertyOf } from '../schema/json-schema.ts';

/** A comparison with a constant: what makes two atoms of a condition depend on one another. */
export interface Fact {
  term: string;
  op: '==' | '<' | '>';
  value: number | string;
}

/** What a term may be at all, as far as its schema says it plainly. */
export interface Domain {
  values?: readonly unknown[];
  least?: Bound;
  most?: Bound;
  integer?: boolean;
}

interface Bound {
  at: number;
  /** The bound itself is out. */
  open: boolean;
}

export type DomainOf = (term: string) => Domain | undefined;

/** The domains of `args.a.b`, by the schema of the arguments. What it does not say plainly is unbounded. */
export function domainsOf(args: JsonSchema | undefined): DomainOf {
  return (term) => {
    const [root, ...names] = term.split('.');
    if (root !== 'args' || names.length === 0) return undefined;
    let here = args;
    for (const name of names) {
      // Beside $ref, draft 7 ignores what else stands there.
      if (here === undefined || '$ref' in here) return undefined;
      here = propertyOf(here, name);
    }
    return here === undefined || '$ref' in here ? undefined : domainOf(here);
  };
}

function domainOf(schema: JsonSchema): Domain {
  const { type, minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  const values = Array.isArray(schema.enum) ? schema.enum : 'const' in schema ? [schema.const] : undefined;
  const least = tightest(boundOf(minimum, false), boundOf(exclusiveMinimum, true), 1);
  const most = tightest(boundOf(maximum, false), boundOf(exclusiveMaximum, true), -1);
  return {
    ...(values && { values }),
    ...(least && { least }),
    ...(most && { most }),
    ...(type === 'integer' && { integer: true }),
  };
}

const boundOf = (at: unknown, open: boolean): Bound | undefined =>
  typeof at === 'number' ? { at, open } : undefined;

/** The stricter of two bounds from the same side: the higher of two lower ones (1), the lower of two upper ones (-1). */
function tightest(a: Bound | undefined, b: Bound | undefined, side: 1 | -1): Bound | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  if (a.at === b.at) return { at: a.at, open: a.open || b.open };
  return (a.at - b.at) * side > 0 ? a : b;
}

interface Claim {
  fact: Fact;
  holds: boolean;
}

/** Whether some value of their one term makes all of these true or false as they say. Never false wrongly. */
export function canHold(claims: readonly Claim[], domain: Domain = {}): boolean {
  const fits = (value: unknown): boolean =>
    claims.every(({ fact, holds }) => isTrue(fact, value) === holds) && isWithin(value, domain);
  if (domain.values) return domain.values.some(fits);
  const named = claims.find(({ fact, holds }) => fact.op === '==' && holds);
  if (named) return fits(named.fact.value);
  // What may be a text or a number is not looked into further.
  return claims.some(({ fact }) => typeof fact.value === 'string') || hasNumber(claims, domain);
}

/** An order between a number and a text is no fact: it errs, and what errs is neither. */
function isTrue({ op, value }: Fact, of: unknown): boolean {
  if (op === '==') return of === value;
  if (typeof of !== 'number' || typeof value !== 'number') return false;
  return op === '<' ? of < value : of > value;
}

function isWithin(value: unknown, { least, most }: Domain): boolean {
  if (typeof value !== 'number') return true;
  const above = least === undefined || (least.open ? value > least.at : value >= least.at);
  return above && (most === undefined || (most.open ? value < most.at : value <= most.at));
}

/** Whether some number lies where the claims and the domain leave room. */
function hasNumber(claims: readonly Claim[], domain: Domain): boolean {
  let { least, most } = domain;
  const out = new Set<number>();
  for (const { fact, holds } of claims) {
    if (typeof fact.value !== 'number') continue;
    if (fact.op === '==') out.add(fact.value);
    else if ((fact.op === '>') === holds) least = tightest(least, { at: fact.value, open: holds }, 1);
    else most = tightest(most, { at: fact.value, open: holds }, -1);
  }
  if (least === undefined || most === undefined) return true;
  if (!domain.integer) {
    if (least.at === most.at) return !least.open && !most.open && !out.has(least.at);
    return least.at < most.at;
  }
  const first = least.open ? Math.floor(least.at) + 1 : Math.ceil(least.at);
  const last = most.open ? Math.ceil(most.at) - 1 : Math.floor(most.at);
  const taken = [...out].filter((value) => Number.isInteger(value) && value >= first && value <= last);
  return last - first + 1 > taken.length;
}
