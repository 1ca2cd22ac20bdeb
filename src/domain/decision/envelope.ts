import { parse } from '@marcbachmann/cel-js';
import { type ASTNode, childrenOf, comprehensionOf, selectedName } from '../cel/ast.ts';
import { CONDITION_LENGTH_MAX, type ConditionValues, compileCondition, type Truth } from '../cel/cel.ts';
import { pathText } from '../problem.ts';
import { EVERY_MEMBER } from '../schema/every-member.ts';
import {
  type EnvelopeTool,
  envelopeText,
  hasTooMany,
  redactedPaths,
  unseenMembers,
} from './envelope-text.ts';
import { redactArgs, redactionsOf } from './redact.ts';

export type { EnvelopeTool } from './envelope-text.ts';

type Args = Readonly<Record<string, unknown>>;

/** The envelope that the arguments of one action suggest. */
export interface EnvelopeSuggestion {
  /** Empty when it cannot be put in `CONDITION_LENGTH_MAX` characters or in CEL at all: a person has to write one. */
  text: string;
  /** Paths it says nothing about, such as `passengers[].dob`: any value there is let through. */
  open: string[];
}

/**
 * "The like of it": CEL over `args` that holds of actions with the same members, the same text, bools and nulls, and
 * with numbers between 0 and those of this action. Redacted values are never in it. What it suggests passes
 * `checkEnvelope`.
 */
export function suggestEnvelope(args: Args, tool: EnvelopeTool): EnvelopeSuggestion {
  if (hasTooMany(args))
    return { text: '', open: [...redactedPaths(args, tool), ...unseenMembers(args, tool)] };
  const { text, open } = envelopeText(args, tool);
  const usable = text.length <= CONDITION_LENGTH_MAX && checkEnvelope(text, tool, args) === undefined;
  return { text: usable ? text : '', open: [...open, ...unseenMembers(args, tool)] };
}

/**
 * An envelope ready for deciding; only `true` covers. It sees the arguments redacted, so that nobody can find out a
 * redacted value by asking, and errs when there are members that it cannot see, and always when it does not compile.
 */
export function compileEnvelope(
  text: string,
  tool: EnvelopeTool,
): (values: Pick<ConditionValues, 'args'>) => Truth {
  const condition = compileCondition(text, { args: tool.args, attributes: {} });
  if (!condition.ok) return () => 'error';
  return ({ args = {} }) =>
    unseenMembers(args, tool).length > 0
      ? 'error'
      : condition.evaluate({ args: redactArgs(tool, args), context: {} });
}

/**
 * What is wrong with an envelope that a person wrote for the like of an action with these arguments, and how to mend
 * it, in words without values; `undefined` when it may be used.
 */
export function checkEnvelope(text: string, tool: EnvelopeTool, args: Args): string | undefined {
  if (text.trim() === '')
    return 'the envelope is empty. Write what counts as the like of it, as args.amount <= 100';
  if (text.length > CONDITION_LENGTH_MAX)
    return `the envelope is longer than ${CONDITION_LENGTH_MAX} characters. Name fewer values`;
  const names = namesIn(text);
  const condition = compileCondition(text, { args: tool.args, attributes: {} });
  return (
    strangerProblem(names) ??
    redactedProblem(names, tool) ??
    (condition.ok ? constantProblem(condition.constant, names) : compileProblem(condition.problems)) ??
    unseenProblem(args, tool) ??
    truthProblem(compileEnvelope(text, tool), args)
  );
}

const strangerProblem = ({ free }: Names): string | undefined =>
  ['context', 'subject']
    .filter((name) => free.has(name))
    .map(
      (name) => `the envelope names ${name}. Name args only: it counts in the segment of this action anyway`,
    )
    .at(0);

const compileProblem = ([problem]: readonly { message: string; hint: string }[]): string =>
  `the envelope is not valid: ${problem?.message}. ${problem?.hint}`;

function constantProblem(constant: boolean | undefined, { free }: Names): string | undefined {
  if (constant !== undefined) return `the envelope is always ${constant}. Compare arguments with values`;
  return free.has('args') ? undefined : 'the envelope does not depend on the arguments. Name args in it';
}

function redactedProblem({ members }: Names, tool: EnvelopeTool): string | undefined {
  const redactions = redactionsOf(tool);
  return members
    .filter((path) =>
      redactions.some((steps) => steps.every(({ name }, at) => name === EVERY_MEMBER || path[at] === name)),
    )
    .map(
      (path) => `the envelope names "${pathText(path)}", which is redacted. Leave it out, or ask has() of it`,
    )
    .at(0);
}

const unseenProblem = (args: Args, tool: EnvelopeTool): string | undefined =>
  unseenMembers(args, tool)
    .map(
      (path) =>
        `no envelope can see "${path}", which the schema of the tool does not declare. ` +
        'Declare it, or approve this one alone',
    )
    .at(0);

function truthProblem(truthOf: ReturnType<typeof compileEnvelope>, args: Args): string | undefined {
  const truth = truthOf({ args });
  if (truth !== 'true') {
    const what = truth === 'error' ? 'fails on' : 'is not true of';
    return `the envelope ${what} this action itself. Begin with its own values and widen them`;
  }
  if (Object.keys(args).length > 0 && truthOf({ args: {} }) === 'true')
    return 'the envelope holds without any arguments too. Name a value that they must have';
  return undefined;
}

/** What a text names: variables it does not bind itself, and members by their path from `args`. */
interface Names {
  free: ReadonlySet<string>;
  members: readonly (readonly string[])[];
}

/** Variables of list walks, and the path of what they walk over where it can be told. */
type Bound = ReadonlyMap<string, readonly string[] | undefined>;

/** What is asked by `has()` alone is not named: that tells no value. Nothing is, in a text that does not parse. */
function namesIn(text: string): Names {
  const free = new Set<string>();
  const members: (readonly string[])[] = [];
  const walk = (node: ASTNode, bound: Bound): void => {
    if (node.op === 'id' && !bound.has(node.args)) free.add(node.args);
    const path = selectedName(node) && pathOf(node, bound);
    if (path) members.push(path);
    const loop = comprehensionOf(node);
    if (loop) {
      walk(loop.receiver, bound);
      const inside = new Map(bound).set(loop.variable, pathOf(loop.receiver, bound));
      for (const body of loop.body) walk(body, inside);
      return;
    }
    const asked = node.op === 'call' && node.args[0] === 'has' ? node.args[1][0] : undefined;
    for (const child of childrenOf(asked ?? node)) walk(child, bound);
  };
  const ast = parsed(text);
  if (ast) walk(ast, new Map());
  return { free, members };
}

function parsed(text: string): ASTNode | undefined {
  try {
    return parse(text).ast;
  } catch {
    return undefined;
  }
}

/** The names on the way from `args` to a node, without indexes; `undefined` when they cannot be told. */
function pathOf(node: ASTNode, bound: Bound): readonly string[] | undefined {
  if (node.op === 'id')
    return bound.has(node.args) ? bound.get(node.args) : node.args === 'args' ? [] : undefined;
  const selected = selectedName(node);
  if (selected) {
    const from = pathOf(selected.from, bound);
    return from && [...from, selected.name];
  }
  if (node.op === '[]') return pathOf(node.args[0], bound);
  if (node.op === 'rcall' && node.args[0] === 'filter') return pathOf(node.args[1], bound);
  const [only, ...others] =
    node.op === 'list' ? node.args : node.op === 'call' && node.args[0] === 'dyn' ? node.args[1] : [];
  return only && others.length === 0 ? pathOf(only, bound) : undefined;
}
