import { type ASTNode, childrenOf, comprehensionOf, isConstant } from './ast.ts';
import { canHold, type DomainOf, type Fact } from './facts.ts';

/** A condition as logic over atoms: the parts that are not and, or, not. */
export type Formula =
  | { kind: 'const'; value: boolean }
  | { kind: 'atom'; id: string; fact?: Fact }
  | { kind: 'not'; of: Formula }
  | { kind: 'and' | 'or'; of: readonly Formula[] };

/** Evaluates a part that names nothing; `undefined` when it errs. */
export type Fold = (node: ASTNode) => unknown;

const ATOMS_MAX = 12;
const ANYTHING: DomainOf = () => undefined;
const TRUE: Formula = { kind: 'const', value: true };
const FALSE: Formula = { kind: 'const', value: false };

interface Reading {
  fold: Fold;
  /** What the list walk around the node calls its item. */
  item?: string;
}

/** The logic of a condition, with comparisons brought to `==` and `<` and constants folded. */
export function formulaOf(node: ASTNode, reading: Reading): Formula {
  const constant = isConstant(node) ? reading.fold(node) : undefined;
  if (typeof constant === 'boolean') return constant ? TRUE : FALSE;
  const formula = (child: ASTNode): Formula => formulaOf(child, reading);
  const less = (a: ASTNode, b: ASTNode): Formula => lessThan(a, b, reading);
  switch (node.op) {
    case '&&':
      return join('and', node.args.map(formula));
    case '||':
      return join('or', node.args.map(formula));
    case '!_':
      return not(formula(node.args));
    case '?:': {
      const [test, yes, no] = node.args;
      // The test is written twice: a choice inside it would double the formula at every level.
      if (hasChoice(test)) return { kind: 'atom', id: termOf(node, reading) };
      const when = formula(test);
      return join('or', [join('and', [when, formula(yes)]), join('and', [not(when), formula(no)])]);
    }
    case '==':
      return equal(node.args[0], node.args[1], reading);
    case '!=':
      return not(equal(node.args[0], node.args[1], reading));
    case '<':
      return less(node.args[0], node.args[1]);
    case '>':
      return less(node.args[1], node.args[0]);
    case '<=':
      return not(less(node.args[1], node.args[0]));
    case '>=':
      return not(less(node.args[0], node.args[1]));
    case 'in':
      if (node.args[1].op === 'list')
        return join(
          'or',
          node.args[1].args.map((item) => equal(node.args[0], item, reading)),
        );
      return { kind: 'atom', id: termOf(node, reading) };
    default:
      return { kind: 'atom', id: termOf(node, reading) };
  }
}

/** One spelling of a formula: flat, sorted, without repetition. */
export function canonical(formula: Formula): string {
  if (formula.kind === 'const') return String(formula.value);
  if (formula.kind === 'atom') return formula.id;
  if (formula.kind === 'not') return `!(${canonical(formula.of)})`;
  const parts = formula.of.map((part) =>
    part.kind === 'and' || part.kind === 'or' ? `(${canonical(part)})` : canonical(part),
  );
  return parts.join(formula.kind === 'and' ? ' && ' : ' || ');
}

/** Whether a formula is true, or false, whatever its atoms are; `undefined` when it depends on them. */
export function constantOf(formula: Formula, domains: DomainOf = ANYTHING): boolean | undefined {
  if (formula.kind === 'const') return formula.value;
  const atoms = atomsOf([formula]);
  if (atoms.size > ATOMS_MAX) return undefined;
  const outcomes = new Set(assignments(atoms, domains).map((truth) => holds(formula, truth)));
  return outcomes.size === 1 ? outcomes.has(true) : undefined;
}

/** Whether the two are true of the same requests. */
export function equivalent(a: Formula, b: Formula): boolean {
  return canonical(a) === canonical(b) || (implies(a, [b]) && implies(b, [a]));
}

/** Whether every request that `a` is true of is also one of some formula in `anyOf`. */
export function implies(a: Formula, anyOf: readonly Formula[], domains: DomainOf = ANYTHING): boolean {
  const atoms = atomsOf([a, ...anyOf]);
  if (atoms.size > ATOMS_MAX)
    return anyOf.some((b) => canonical(b) === 'true' || canonical(a) === canonical(b));
  return assignments(atoms, domains).every((truth) => !holds(a, truth) || anyOf.some((b) => holds(b, truth)));
}

/** A part that is not logic, in one spelling; the item of a list walk is always `_`. */
function termOf(node: ASTNode, reading: Reading): string {
  const term = (child: ASTNode): string => termOf(child, reading);
  const loop = comprehensionOf(node);
  if (loop && node.op === 'rcall') {
    const inside = { ...reading, item: loop.variable };
    const body = loop.body.map((part) => canonical(formulaOf(part, inside)));
    return `${term(loop.receiver)}.${node.args[0]}(_, ${body.join(', ')})`;
  }
  switch (node.op) {
    case 'id':
      return node.args === reading.item ? '_' : node.args;
    case 'value':
      return literalText(node.args);
    case '.':
    case '.?':
      return `${term(node.args[0])}.${node.args[1]}`;
    case '[]':
    case '[?]':
      return indexOf(term(node.args[0]), node.args[1], term);
    case 'call':
      return `${node.args[0]}(${node.args[1].map(term).join(', ')})`;
    case 'rcall':
      if (node.args[0] === 'size') return `size(${term(node.args[1])})`;
      return `${term(node.args[1])}.${node.args[0]}(${node.args[2].map(term).join(', ')})`;
    case 'list':
      return `[${node.args.map(term).join(', ')}]`;
    case 'map':
      return `{${node.args.map(([key, value]) => `${term(key)}: ${term(value)}`).join(', ')}}`;
    case '-_':
      return `-${term(node.args)}`;
    case '?:':
      return `(${node.args.map(term).join(' ? ')})`;
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
    case 'in':
      return `(${term(node.args[0])} ${node.op} ${term(node.args[1])})`;
    default:
      return `(${canonical(formulaOf(node, reading))})`;
  }
}

/** Exact: two numbers that differ in the last digit are two conditions. */
function literalText(value: unknown): string {
  if (typeof value === 'number') return Number.isInteger(value) ? `${value}.0` : String(value);
  return typeof value === 'bigint' ? String(value) : (JSON.stringify(value) ?? String(value));
}

function indexOf(from: string, index: ASTNode, term: (node: ASTNode) => string): string {
  const name = index.op === 'value' && typeof index.args === 'string' ? index.args : '';
  return /^[A-Za-z_]\w*$/.test(name) ? `${from}.${name}` : `${from}[${term(index)}]`;
}

const hasChoice = (node: ASTNode): boolean => node.op === '?:' || childrenOf(node).some(hasChoice);

function equal(left: ASTNode, right: ASTNode, reading: Reading): Formula {
  for (const [side, other] of [
    [left, right],
    [right, left],
  ] as const) {
    const value = isConstant(side) ? reading.fold(side) : undefined;
    if (typeof value === 'boolean') return value ? formulaOf(other, reading) : not(formulaOf(other, reading));
  }
  const [a = '', b = ''] = [termOf(left, reading), termOf(right, reading)].sort();
  return a === b ? TRUE : atom(`${a} == ${b}`, factOf('==', left, right, reading));
}

function lessThan(left: ASTNode, right: ASTNode, reading: Reading): Formula {
  const [a, b] = [termOf(left, reading), termOf(right, reading)];
  return a === b ? FALSE : atom(`${a} < ${b}`, factOf('<', left, right, reading));
}

const atom = (id: string, fact: Fact | undefined): Formula => ({ kind: 'atom', id, ...(fact && { fact }) });

/** A comparison with a constant on one side. */
function factOf(op: '==' | '<', left: ASTNode, right: ASTNode, reading: Reading): Fact | undefined {
  const [a, b] = [constantAt(left, reading), constantAt(right, reading)];
  if ((a === undefined) === (b === undefined)) return undefined;
  const value = a ?? b;
  if (value === undefined || (op === '<' && typeof value === 'string')) return undefined;
  if (b !== undefined) return { term: termOf(left, reading), op, value };
  return { term: termOf(right, reading), op: op === '<' ? '>' : op, value };
}

/** A constant text or number; an integer beyond what a number holds is none. */
function constantAt(node: ASTNode, reading: Reading): number | string | undefined {
  const value = isConstant(node) ? reading.fold(node) : undefined;
  if (typeof value === 'string' || typeof value === 'number') return value;
  return typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : undefined;
}

/** The opposite. */
export function not(formula: Formula): Formula {
  if (formula.kind === 'const') return formula.value ? FALSE : TRUE;
  if (formula.kind === 'not') return formula.of;
  if (formula.kind === 'atom') return { kind: 'not', of: formula };
  return join(formula.kind === 'and' ? 'or' : 'and', formula.of.map(not));
}

function join(kind: 'and' | 'or', parts: readonly Formula[]): Formula {
  const ends = kind === 'or';
  const flat = parts.flatMap((part) => (part.kind === kind ? part.of : [part]));
  const byText = new Map(flat.map((part) => [canonical(part), part]));
  if (byText.has(String(ends))) return ends ? TRUE : FALSE;
  byText.delete(String(!ends));
  const sorted = [...byText.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, part]) => part);
  const [only] = sorted;
  if (only === undefined) return ends ? FALSE : TRUE;
  return sorted.length === 1 ? only : { kind, of: sorted };
}

function atomsOf(formulas: readonly Formula[]): ReadonlyMap<string, Fact | undefined> {
  const atoms = new Map<string, Fact | undefined>();
  const visit = (formula: Formula): void => {
    if (formula.kind === 'atom') atoms.set(formula.id, formula.fact);
    else if (formula.kind === 'not') visit(formula.of);
    else if (formula.kind !== 'const') formula.of.forEach(visit);
  };
  formulas.forEach(visit);
  return atoms;
}

/** Every way the atoms can be true together: no text is two things, no number below 5 and above 10. */
function assignments(
  atoms: ReadonlyMap<string, Fact | undefined>,
  domains: DomainOf,
): readonly ReadonlySet<string>[] {
  const names = [...atoms.keys()];
  const possible = possibleOf([...atoms.values()], domains);
  const all: ReadonlySet<string>[] = [];
  for (let bits = 0; bits < 2 ** names.length; bits++) {
    if (possible(bits)) all.push(new Set(names.filter((_name, at) => (bits >> at) & 1)));
  }
  return all;
}

/** Whether a choice of true atoms, one bit each, can be: looked up term by term. */
function possibleOf(facts: readonly (Fact | undefined)[], domains: DomainOf): (bits: number) => boolean {
  const terms = new Map<string, number[]>();
  facts.forEach((fact, at) => {
    if (fact) terms.set(fact.term, [...(terms.get(fact.term) ?? []), at]);
  });
  const checks = [...terms].flatMap(([term, places]) => {
    const domain = domains(term);
    if (places.length === 1 && domain === undefined) return [];
    const mask = places.reduce((sum, at) => sum | (1 << at), 0);
    const claims = (bits: number) =>
      places.flatMap((at) => {
        const fact = facts[at];
        return fact ? [{ fact, holds: ((bits >> at) & 1) === 1 }] : [];
      });
    const known = new Map<number, boolean>();
    return (bits: number): boolean => {
      const answer = known.get(bits & mask) ?? canHold(claims(bits), domain);
      known.set(bits & mask, answer);
      return answer;
    };
  });
  return (bits) => checks.every((check) => check(bits));
}

function holds(formula: Formula, truth: ReadonlySet<string>): boolean {
  if (formula.kind === 'const') return formula.value;
  if (formula.kind === 'atom') return truth.has(formula.id);
  if (formula.kind === 'not') return !holds(formula.of, truth);
  return formula.kind === 'and'
    ? formula.of.every((part) => holds(part, truth))
    : formula.of.some((part) => holds(part, truth));
}
