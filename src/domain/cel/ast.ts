import type { ASTNode } from '@marcbachmann/cel-js';

export type { ASTNode } from '@marcbachmann/cel-js';

/** The macros that walk a list; their first argument names the item. */
export const COMPREHENSIONS: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);

/** `list.all(item, predicate)` and its like, taken apart. */
export interface Comprehension {
  receiver: ASTNode;
  variable: string;
  body: readonly ASTNode[];
}

/** The node as a comprehension, if it is one. */
export function comprehensionOf(node: ASTNode): Comprehension | undefined {
  if (node.op !== 'rcall') return undefined;
  const [name, receiver, args] = node.args;
  const [first, ...body] = args;
  if (!COMPREHENSIONS.has(name) || first?.op !== 'id' || body.length === 0) return undefined;
  return { receiver, variable: first.args, body };
}

/** The operands of a node, left to right. */
export function childrenOf(node: ASTNode): readonly ASTNode[] {
  switch (node.op) {
    case 'value':
    case 'id':
      return [];
    case '.':
    case '.?':
      return [node.args[0]];
    case 'call':
      return node.args[1];
    case 'rcall':
      return [node.args[1], ...node.args[2]];
    case 'list':
      return node.args;
    case 'map':
      return node.args.flat();
    case '!_':
    case '-_':
      return [node.args];
    default:
      return node.args;
  }
}

/** The name a node selects, by `a.b` or `a["b"]`. */
export function selectedName(node: ASTNode): { from: ASTNode; name: string } | undefined {
  if (node.op === '.') return { from: node.args[0], name: node.args[1] };
  if (node.op !== '[]') return undefined;
  const [from, index] = node.args;
  return index.op === 'value' && typeof index.args === 'string' ? { from, name: index.args } : undefined;
}

/** The variable that a member, an item or what is left of a list comes from; empty for anything else. */
export function rootOf(node: ASTNode): string {
  if (node.op === 'id') return node.args;
  if (node.op === '.' || node.op === '[]') return rootOf(node.args[0]);
  if (node.op === 'rcall') return rootOf(node.args[1]);
  return node.op === 'call' && node.args[0] === 'dyn' && node.args[1][0] ? rootOf(node.args[1][0]) : '';
}

/** Whether the node names anything that only a request can tell. */
export const isConstant = (node: ASTNode): boolean =>
  node.op !== 'id' && childrenOf(node).every((child) => isConstant(child));
