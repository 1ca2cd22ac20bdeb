import { compileRe2, type Pattern } from '../schema/pattern.ts';
import { type ASTNode, comprehensionOf } from './ast.ts';
import { attempt, type Evaluate } from './frame.ts';
import { FUNCTIONS, METHODS } from './functions.ts';
import { binary } from './operators.ts';
import {
  CelError,
  CelList,
  CelMap,
  CelType,
  type CelValue,
  intOf,
  keyOf,
  listOf,
  type MapKey,
  TYPE_NAMES,
  ValueMap,
} from './values.ts';
import { walkOf } from './walks.ts';

/**
 * Turns a checked expression into one that can be run. Ours and not the parser's, because each step is counted and
 * because it answers as the language's own test suite does; what it does not know, `findDialectProblems` refuses.
 */
export function compileNode(node: ASTNode): Evaluate {
  const run = compileOperation(node);
  return (frame) => {
    frame.meter.spend(1);
    return run(frame);
  };
}

function compileOperation(node: ASTNode): Evaluate {
  switch (node.op) {
    case 'value':
      return literal(node.args);
    case 'id':
      return variable(node.args);
    case '.':
      return select(compileNode(node.args[0]), node.args[1]);
    case '[]':
      return index(compileNode(node.args[0]), compileNode(node.args[1]));
    case 'list':
      return list(node.args.map(compileNode));
    case 'map':
      return map(node.args.map(([key, value]) => [compileNode(key), compileNode(value)]));
    case '?:':
      return choice(node.args.map(compileNode) as [Evaluate, Evaluate, Evaluate]);
    case '&&':
      return logic(compileNode(node.args[0]), compileNode(node.args[1]), false);
    case '||':
      return logic(compileNode(node.args[0]), compileNode(node.args[1]), true);
    case '!_':
      return negation(compileNode(node.args));
    case '-_':
      return minus(node.args);
    case 'call':
      return call(node.args[0], node.args[1]);
    case 'rcall':
      return walk(node) ?? applied(METHODS, node.args[0], [node.args[1], ...node.args[2]]);
    case '.?':
    case '[?]':
      return fail('Optional members are not known');
    default:
      return binary(node.op, compileNode(node.args[0]), compileNode(node.args[1]));
  }
}

const fail =
  (message: string): Evaluate =>
  () => {
    throw new CelError(message);
  };

function literal(value: unknown): Evaluate {
  if (typeof value === 'bigint') return () => intOf(value);
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return () => value;
  return fail('Such a value is not known');
}

const variable =
  (name: string): Evaluate =>
  ({ variables }) => {
    const value = variables.get(name);
    if (value !== undefined) return value;
    if (TYPE_NAMES.has(name)) return new CelType(name);
    throw new CelError(`There is no "${name}"`);
  };

const select =
  (from: Evaluate, name: string): Evaluate =>
  (frame) => {
    const owner = from(frame);
    const value = owner instanceof CelMap ? owner.get(name) : undefined;
    if (value === undefined) throw new CelError(`There is no "${name}"`);
    return value;
  };

function index(from: Evaluate, at: Evaluate): Evaluate {
  return (frame) => {
    const owner = from(frame);
    const key = at(frame);
    if (owner instanceof CelList) {
      const place =
        typeof key === 'bigint' || (typeof key === 'number' && Number.isInteger(key)) ? Number(key) : -1;
      if (place < 0 || place >= owner.length) throw new CelError('There is no such item');
      return owner.at(place);
    }
    const name = owner instanceof CelMap ? keyOf(key) : undefined;
    const value = owner instanceof CelMap && name !== undefined ? owner.get(name) : undefined;
    if (value === undefined) throw new CelError('There is no such member');
    return value;
  };
}

const list =
  (items: readonly Evaluate[]): Evaluate =>
  (frame) =>
    listOf(items.map((item) => item(frame)));

function map(entries: readonly [Evaluate, Evaluate][]): Evaluate {
  return (frame) => {
    const values = new Map<MapKey, CelValue>();
    for (const [name, given] of entries) {
      const key = name(frame);
      if (typeof key !== 'string' && typeof key !== 'bigint' && typeof key !== 'boolean')
        throw new CelError('A key is text, an int or a bool');
      if (values.has(key)) throw new CelError('A key stands twice in a map');
      values.set(key, given(frame));
    }
    return new ValueMap(values);
  };
}

function choice([test, yes, no]: [Evaluate, Evaluate, Evaluate]): Evaluate {
  return (frame) => {
    const chosen = test(frame);
    if (typeof chosen !== 'boolean') throw new CelError('A choice needs true or false');
    return chosen ? yes(frame) : no(frame);
  };
}

/** Either side settles it when it is `decisive`, whatever becomes of the other. */
function logic(left: Evaluate, right: Evaluate, decisive: boolean): Evaluate {
  return (frame) => {
    const first = attempt(left, frame);
    if (first === decisive) return decisive;
    const second = attempt(right, frame);
    if (second === decisive) return decisive;
    for (const one of [first, second]) {
      if (one instanceof CelError) throw one;
      if (typeof one !== 'boolean') throw new CelError('Logic needs true or false');
    }
    return !decisive;
  };
}

const negation =
  (of: Evaluate): Evaluate =>
  (frame) => {
    const value = of(frame);
    if (typeof value !== 'boolean') throw new CelError('"!" needs true or false');
    return !value;
  };

function minus(operand: ASTNode): Evaluate {
  // The smallest int is written as the negation of a number that is none itself.
  if (operand.op === 'value' && typeof operand.args === 'bigint') {
    const value = -operand.args;
    return () => intOf(value);
  }
  const of = compileNode(operand);
  return (frame) => {
    const value = of(frame);
    if (typeof value === 'bigint') return intOf(-value);
    if (typeof value === 'number') return -value;
    throw new CelError('"-" needs a number');
  };
}

function call(name: string, args: readonly ASTNode[]): Evaluate {
  if (name === 'has') return has(args[0]);
  if (name === 're2') return re2(args);
  return applied(FUNCTIONS, name, args);
}

function applied(functions: typeof FUNCTIONS, name: string, args: readonly ASTNode[]): Evaluate {
  const known = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (known === undefined) return fail(`There is no function ${name}()`);
  const values = args.map(compileNode);
  return (frame) =>
    known(
      values.map((value) => value(frame)),
      frame.meter,
    );
}

function has(member: ASTNode | undefined): Evaluate {
  if (member?.op !== '.') return fail('has() needs a member');
  const from = compileNode(member.args[0]);
  const name = member.args[1];
  return (frame) => {
    const owner = from(frame);
    if (!(owner instanceof CelMap)) throw new CelError('Only a map has members');
    return owner.has(name);
  };
}

function re2([textNode, patternNode]: readonly ASTNode[]): Evaluate {
  if (textNode === undefined || patternNode?.op !== 'value') return fail('re2() needs a literal pattern');
  const textOf = compileNode(textNode);
  let pattern: Pattern | undefined;
  return (frame) => {
    const given = textOf(frame);
    if (typeof given !== 'string') throw new CelError('re2() needs text');
    pattern ??= compileRe2(String(patternNode.args));
    return pattern.test(given, frame.meter);
  };
}

function walk(node: ASTNode): Evaluate | undefined {
  const loop = comprehensionOf(node);
  if (!loop || node.op !== 'rcall') return undefined;
  return walkOf(node.args[0], loop.variable, compileNode(loop.receiver), loop.body.map(compileNode));
}
