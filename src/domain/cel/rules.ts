import { serialize } from '@marcbachmann/cel-js';
import { suggest } from '../nearest.ts';
import { sentence } from '../problem.ts';
import { asSchema, type JsonSchema, propertyOf } from '../schema/json-schema.ts';
import { compileRe2 } from '../schema/pattern.ts';
import { type ASTNode, childrenOf, comprehensionOf, isConstant, rootOf, selectedName } from './ast.ts';
import { findDialectProblems } from './dialect.ts';
import type { ConditionProblem } from './problem.ts';
import { itemSchemaOf, type Schemas, schemaOf } from './schemas.ts';
import { isObjectSchema } from './types.ts';
import { TYPE_NAMES } from './values.ts';

/**
 * What the type check lets pass and a gate must not: names beyond the declared ones, backtracking patterns,
 * comprehensions inside comprehensions, optional members read without `has()`.
 */
export function findRuleProblems(
  ast: ASTNode,
  variables: Readonly<Record<string, JsonSchema>>,
): ConditionProblem[] {
  const problems: ConditionProblem[] = findDialectProblems(ast);
  const guarded = new Set<string>();
  collectGuards(ast, guarded);
  const walker = new RuleWalker(problems, guarded, Object.keys(variables));
  walker.walk(ast, new Map(Object.entries(variables)), false);
  return problems;
}

/** `has(args.note)` and `"note" in args.labels` make reading the member safe. */
function collectGuards(node: ASTNode, guarded: Set<string>): void {
  if (node.op === 'call' && node.args[0] === 'has')
    for (const arg of node.args[1]) guarded.add(serialize(arg));
  if (node.op === 'in' && node.args[0].op === 'value')
    guarded.add(`${serialize(node.args[1])}.${String(node.args[0].args)}`);
  for (const child of childrenOf(node)) collectGuards(child, guarded);
}

class RuleWalker {
  constructor(
    readonly problems: ConditionProblem[],
    readonly guarded: ReadonlySet<string>,
    readonly names: readonly string[],
  ) {}

  walk(node: ASTNode, schemas: Schemas, inComprehension: boolean): void {
    if (node.op === 'id') {
      this.#name(node, node.args, schemas);
      return;
    }
    if (node.op === 'call') this.#call(node, node.args[0], node.args[1]);
    if (node.op === 'rcall' && node.args[0] === 'matches') this.#backtracks(node);
    if (node.op === 'call' && node.args[0] === 'has') {
      this.#has(node.args[1][0], schemas, inComprehension);
      return;
    }
    if (node.op === 'rcall' && node.args[0] === 'bind') {
      this.#refuse(node, 'cel.bind() is refused', 'Write the expression out');
      return;
    }
    const loop = comprehensionOf(node);
    if (loop) {
      if (inComprehension)
        this.#refuse(
          node,
          'A list walk inside a list walk is refused',
          'Use one walk, or chain .filter(...).all(...)',
        );
      this.walk(loop.receiver, schemas, inComprehension);
      const item = itemSchemaOf(loop.receiver, schemas);
      const inner = new Map(schemas).set(loop.variable, item);
      for (const body of loop.body) this.walk(body, inner, true);
      return;
    }
    if (node.op === 'in' && inComprehension) this.#memberOfList(node, node.args[1], schemas);
    this.#member(node, schemas);
    for (const child of childrenOf(node)) this.walk(child, schemas, inComprehension);
  }

  /** Looking for an item walks the list. A list inside the item that is walked is no longer than the whole. */
  #memberOfList(node: ASTNode, list: ASTNode, schemas: Schemas): void {
    const isMap = asSchema(schemaOf(list, schemas))?.type === 'object';
    const root = rootOf(list);
    const isInItem = root !== '' && !this.names.includes(root);
    if (isConstant(list) || isMap || isInItem) return;
    this.#refuse(
      node,
      '"in" over a list of the request inside a list walk is refused: it walks the list again for every item',
      'Write the list out, or look for one value only',
    );
  }

  #name(node: ASTNode, name: string, schemas: Schemas): void {
    if (schemas.has(name) || TYPE_NAMES.has(name)) return;
    this.#refuse(node, `"${name}" is not known here`, `A condition here may name: ${this.names.join(', ')}`);
  }

  #call(node: ASTNode, name: string, args: readonly ASTNode[]): void {
    if (name === 'matches') this.#backtracks(node);
    if (name !== 're2' || args.length !== 2) return;
    const pattern = args[1];
    if (pattern?.op !== 'value' || typeof pattern.args !== 'string') {
      this.#refuse(node, 'The pattern of re2() is not a literal', 'Write the pattern as text in quotes');
      return;
    }
    try {
      compileRe2(pattern.args);
    } catch (error) {
      const why = error instanceof Error ? error.message : 'unreadable';
      this.#refuse(
        pattern,
        `The pattern of re2() is not valid: ${why}`,
        'Use RE2 syntax: no lookaround, no backreference',
      );
    }
  }

  #backtracks(node: ASTNode): void {
    this.#refuse(
      node,
      'matches() is refused: its patterns can backtrack',
      'Use re2(text, "pattern"), which takes linear time',
    );
  }

  /** The last member inside `has()` may be absent, but not one that the schema does not have at all. */
  #has(arg: ASTNode | undefined, schemas: Schemas, inComprehension: boolean): void {
    const selected = arg && selectedName(arg);
    if (!arg || !selected) return;
    this.#unknown(arg, schemaOf(selected.from, schemas), selected.name);
    this.walk(selected.from, schemas, inComprehension);
  }

  #member(node: ASTNode, schemas: Schemas): void {
    const selected = selectedName(node);
    if (!selected) return;
    const { from, name } = selected;
    const owner = schemaOf(from, schemas);
    if (this.#unknown(node, owner, name)) return;
    const optional = owner !== undefined && isObjectSchema(owner) && !requiredOf(owner).includes(name);
    const dotted = `${serialize(from)}.${name}`;
    if (!optional || this.guarded.has(dotted)) return;
    const named = /^[A-Za-z_]\w*$/.test(name);
    const hint = named ? `has(${dotted})` : `"${name}" in ${serialize(from)}`;
    const askable = named || memberNames(owner).length === 0;
    this.#refuse(
      memberRange(node, name),
      `"${name}" may be absent`,
      askable ? `Ask first: ${hint} && ...` : 'Make it required in the schema',
    );
  }

  /** Reports a member that the schema does not have. */
  #unknown(node: ASTNode, owner: JsonSchema | undefined, name: string): boolean {
    const known = memberNames(owner);
    if (known.length === 0 || propertyOf(owner, name) !== undefined) return false;
    this.#refuse(memberRange(node, name), `There is no "${name}" here`, sentence(suggest(name, known)));
    return true;
  }

  #refuse({ start, end }: { start: number; end: number }, message: string, hint: string): void {
    this.problems.push({ message, hint, range: { start, end } });
  }
}

/** The name alone in `owner.name`. */
const memberRange = ({ op, start, end }: ASTNode, name: string): { start: number; end: number } => ({
  start: op === '.' ? end - name.length : start,
  end,
});
const memberNames = (schema: JsonSchema | undefined): string[] =>
  Object.keys(asSchema(schema?.properties) ?? {});
const requiredOf = (schema: JsonSchema): readonly unknown[] =>
  Array.isArray(schema.required) ? schema.required : [];
