import { suggest } from '../nearest.ts';
import { sentence } from '../problem.ts';
import { type ASTNode, COMPREHENSIONS, childrenOf } from './ast.ts';
import { FUNCTIONS, METHODS } from './functions.ts';
import type { ConditionProblem } from './problem.ts';
import { INT_MAX, INT_MIN } from './values.ts';

/** Refused elsewhere, with a hint of their own. */
const OTHERWISE_REFUSED: ReadonlySet<string> = new Set(['matches', 'bind']);

/** The parts of the language that conditions do not have: what is not evaluated exactly is not offered. */
export function findDialectProblems(node: ASTNode): ConditionProblem[] {
  const own = problemAt(node);
  // The smallest int is written as the negation of a number that is none itself.
  const isSmallest = node.op === '-_' && node.args.op === 'value' && node.args.args === -INT_MIN;
  return [...(own ? [own] : []), ...(isSmallest ? [] : childrenOf(node).flatMap(findDialectProblems))];
}

function problemAt(node: ASTNode): ConditionProblem | undefined {
  const refuse = (message: string, hint: string): ConditionProblem => {
    return { message, hint, range: { start: node.start, end: node.end } };
  };
  switch (node.op) {
    case 'value':
      if (typeof node.args === 'bigint' && node.args > INT_MAX)
        return refuse('The number is too large for an int', `Write at most ${INT_MAX}`);
      if (node.args instanceof Uint8Array)
        return refuse('Bytes are not known here', 'Write text: arguments are JSON');
      return typeof node.args === 'object' && node.args !== null
        ? refuse('Unsigned numbers are not known here', 'Leave the "u" out: arguments are int or double')
        : undefined;
    case '.?':
    case '[?]':
      return refuse('Optional members are not known here', 'Ask with has(), as has(args.note) && ...');
    case 'call':
      return unknownFunction(node.args[0], [...Object.keys(FUNCTIONS), 'has', 're2'], refuse);
    case 'rcall':
      return unknownFunction(node.args[0], [...Object.keys(METHODS), ...COMPREHENSIONS], refuse);
    default:
      return undefined;
  }
}

function unknownFunction(
  name: string,
  known: readonly string[],
  refuse: (message: string, hint: string) => ConditionProblem,
): ConditionProblem | undefined {
  if (known.includes(name) || OTHERWISE_REFUSED.has(name)) return undefined;
  return refuse(`There is no function ${name}() here`, sentence(suggest(name, known)));
}
