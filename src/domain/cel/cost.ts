import type { JsonSchema } from '../schema/json-schema.ts';
import { STEPS_MAX, TEXT_PER_STEP } from '../schema/meter.ts';
import { type ASTNode, childrenOf, comprehensionOf } from './ast.ts';
import type { ConditionProblem } from './problem.ts';
import { itemSchemaOf, type Schemas, schemaOf } from './schemas.ts';

/** What is assumed of a list and a text whose schema declares no size: the meter of each request holds for those. */
const ITEMS_ASSUMED = 100;
const CHARACTERS_ASSUMED = 100;
/** What looking for a pattern takes for each character, more or less. */
const STEPS_PER_CHARACTER = 2;

/** A condition that could never be evaluated for the sizes its schema declares is refused before anybody asks. */
export function findCostProblem(
  ast: ASTNode,
  variables: Readonly<Record<string, JsonSchema>>,
): ConditionProblem | undefined {
  const steps = costOf(ast, new Map(Object.entries(variables)));
  if (steps <= STEPS_MAX) return undefined;
  return {
    message: `It could take ${Math.ceil(steps)} steps for what the schema allows, and ${STEPS_MAX} are the most`,
    hint: 'Declare a smaller maxItems or maxLength, or look at fewer values',
    range: { start: ast.start, end: ast.end },
  };
}

function costOf(node: ASTNode, schemas: Schemas): number {
  const loop = comprehensionOf(node);
  if (loop) {
    const inner = new Map(schemas).set(loop.variable, itemSchemaOf(loop.receiver, schemas));
    const body = loop.body.reduce((sum, part) => sum + costOf(part, inner), 0);
    return 1 + costOf(loop.receiver, schemas) + itemsIn(loop.receiver, schemas) * (1 + body);
  }
  const children = childrenOf(node).reduce((sum, child) => sum + costOf(child, schemas), 1);
  switch (node.op) {
    case 'in':
      // In a map it is looked up, in a list looked for.
      return children + (isMap(node.args[1], schemas) ? 0 : itemsIn(node.args[1], schemas));
    case '==':
    case '!=':
      return children + Math.min(itemsIn(node.args[0], schemas), itemsIn(node.args[1], schemas));
    case 'call':
      return children + (node.args[0] === 're2' ? STEPS_PER_CHARACTER * textIn(node.args[1][0], schemas) : 0);
    case 'rcall':
      return children + textIn(node.args[1], schemas) / TEXT_PER_STEP;
    default:
      return children;
  }
}

const isMap = (node: ASTNode, schemas: Schemas): boolean => schemaOf(node, schemas)?.type === 'object';

/** How many items a node may give; 0 for what is no list. */
function itemsIn(node: ASTNode, schemas: Schemas): number {
  if (node.op === 'list') return node.args.length;
  if (node.op === '+') return itemsIn(node.args[0], schemas) + itemsIn(node.args[1], schemas);
  const loop = comprehensionOf(node);
  if (loop && node.op === 'rcall')
    return ['map', 'filter'].includes(node.args[0]) ? itemsIn(loop.receiver, schemas) : 0;
  const schema = schemaOf(node, schemas);
  const { maxItems, maxProperties, type } = schema ?? {};
  if (type === 'array') return typeof maxItems === 'number' ? maxItems : ITEMS_ASSUMED;
  if (type === 'object') return typeof maxProperties === 'number' ? maxProperties : ITEMS_ASSUMED;
  return 0;
}

/** How long a text may be that a node gives; 0 for what is none. */
function textIn(node: ASTNode | undefined, schemas: Schemas): number {
  if (node === undefined) return 0;
  if (node.op === 'value') return typeof node.args === 'string' ? node.args.length : 0;
  if (node.op === '+') return textIn(node.args[0], schemas) + textIn(node.args[1], schemas);
  const schema = schemaOf(node, schemas);
  if (schema?.type !== 'string') return 0;
  return typeof schema.maxLength === 'number' ? schema.maxLength : CHARACTERS_ASSUMED;
}
