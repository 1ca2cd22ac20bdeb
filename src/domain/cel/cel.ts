import { type ASTNode, TypeError as CelTypeError, EvaluationError, ParseError } from '@marcbachmann/cel-js';
import { Meter } from '../schema/meter.ts';
import { findCostProblem } from './cost.ts';
import { compileNode } from './evaluate.ts';
import { type DomainOf, domainsOf } from './facts.ts';
import { Frame } from './frame.ts';
import { canonical, constantOf, type Formula, formulaOf } from './logic.ts';
import type { ConditionProblem } from './problem.ts';
import { findRuleProblems } from './rules.ts';
import type { ConditionScope } from './scope.ts';
import { type CelScope, celScope } from './types.ts';

/** Only `true` matches; an error is an answer of its own. */
export type Truth = 'true' | 'false' | 'error';

/** The values of one request, as plain JSON. */
export interface ConditionValues {
  args?: Readonly<Record<string, unknown>>;
  context: Readonly<Record<string, unknown>>;
  subject?: string;
  /** What checking the whole request may still take. */
  meter?: Meter;
}

/** A condition that type-checks, or everything that is wrong with it. */
export type Condition =
  | {
      ok: true;
      source: string;
      /** One spelling for conditions that mean the same. */
      canonical: string;
      formula: Formula;
      /** Its value when no request can change it. */
      constant: boolean | undefined;
      /** Of `context.tier == "gold"`, which is how most segments are told: no need to run it where there is text. */
      told: { attribute: string; text: string } | undefined;
      evaluate(values: ConditionValues): Truth;
    }
  | { ok: false; problems: ConditionProblem[] };

export const CONDITION_LENGTH_MAX = 2_000;

/** Parses, type-checks and prepares one condition. Never throws, nor does `evaluate`. */
export function compileCondition(source: string, scope: ConditionScope): Condition {
  const range = { start: 0, end: source.length };
  if (source.length > CONDITION_LENGTH_MAX) {
    const message = `The condition is longer than ${CONDITION_LENGTH_MAX} characters`;
    return { ok: false, problems: [{ message, hint: 'Split it over several grants', range }] };
  }
  if (source.trim() === '')
    return {
      ok: false,
      problems: [{ message: 'The condition is empty', hint: 'Write it, or leave "when" out', range }],
    };
  try {
    return compileChecked(source, celScope(scope), domainsOf(scope.args));
  } catch (error) {
    return { ok: false, problems: [problemOf(error, range)] };
  }
}

/** An expression that can be run, and what is wrong with it; its type only when it has one. */
export interface CheckedExpression {
  ast: ASTNode;
  type?: string;
  problems: ConditionProblem[];
}

/** Parses and type-checks an expression of any type. @throws ParseError */
export function checkExpression(
  source: string,
  { environment, variables }: Pick<CelScope, 'environment' | 'variables'>,
): CheckedExpression {
  const range = { start: 0, end: source.length };
  const { ast } = environment.parse(source);
  const rules = findRuleProblems(ast, variables);
  const tooMuch = rules.length === 0 ? findCostProblem(ast, variables) : undefined;
  const { valid, type, error } = environment.check(source);
  const isTold = valid || rules.some((rule) => overlaps(rule, error));
  const problems = [...(isTold ? [] : [problemOf(error, range)]), ...rules, ...(tooMuch ? [tooMuch] : [])];
  return { ast, type, problems };
}

function compileChecked(source: string, scope: CelScope, domains: DomainOf): Condition {
  const { ast, type, problems } = checkExpression(source, scope);
  if (type !== undefined && type !== 'bool') {
    const range = { start: 0, end: source.length };
    const message = `The condition gives ${type}, not true or false`;
    problems.push({ message, hint: 'Compare it with something: ... == "x"', range });
  }
  if (problems.length > 0) return { ok: false, problems };
  const formula = formulaOf(ast, { fold: folded });
  const constant = constantOf(formula, domains);
  const run = compileNode(ast);
  const told = toldBy(ast);
  const evaluate = ({ meter = new Meter(), ...values }: ConditionValues): Truth => {
    const text = told && ownText(values.context, told.attribute);
    if (told && text !== undefined) return text === told.text ? 'true' : 'false';
    try {
      const answer = run(new Frame(scope.values(values), meter));
      if (answer === true) return 'true';
      return answer === false ? 'false' : 'error';
    } catch {
      return 'error';
    }
  };
  return {
    ok: true,
    source,
    canonical: constant === undefined ? canonical(formula) : String(constant),
    formula,
    constant,
    told,
    evaluate,
  };
}

function toldBy(ast: ASTNode): { attribute: string; text: string } | undefined {
  if (ast.op !== '==') return undefined;
  const [left, right] = ast.args;
  if (left.op !== '.' || right.op !== 'value' || typeof right.args !== 'string') return undefined;
  const [of, attribute] = left.args;
  return of.op === 'id' && of.args === 'context' ? { attribute, text: right.args } : undefined;
}

/** A value of one's own that is text. */
export function ownText(values: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = Object.hasOwn(values, name) ? values[name] : undefined;
  return typeof value === 'string' ? value : undefined;
}

const overlaps = (
  rule: ConditionProblem,
  error: { range?: { start: number; end: number } } | undefined,
): boolean =>
  error?.range !== undefined && rule.range.start <= error.range.end && error.range.start <= rule.range.end;

/** What folding a part of a condition may take. */
const FOLD_STEPS = 10_000;

function folded(node: ASTNode): unknown {
  try {
    return compileNode(node)(new Frame(new Map(), new Meter(FOLD_STEPS)));
  } catch {
    return undefined;
  }
}

const HINTS: Readonly<Record<string, string>> = {
  no_such_key: "Use a name that the attributes or the tool's schema declare",
  unknown_variable: 'A condition may name args, context, subject and lists; text stands in quotes',
  no_such_overload: 'Compare values of one type: 5 is an int, 5.0 a double, "5" a string',
  unterminated_string: 'Close the text with the quote it began with',
};

function problemOf(error: unknown, range: { start: number; end: number }): ConditionProblem {
  const known =
    error instanceof ParseError || error instanceof CelTypeError || error instanceof EvaluationError;
  if (!known) return { message: 'The condition cannot be read', hint: 'Write a CEL expression', range };
  const syntax =
    error instanceof ParseError ? 'Write a CEL expression, such as context.tier == "gold"' : 'Mind the types';
  return { message: error.summary, hint: HINTS[error.code] ?? syntax, range: error.range ?? range };
}
