import ts from 'typescript';

/** One small change of the code that some test should notice. */
export interface Mutant {
  id: number;
  file: string;
  line: number;
  /** Of the SQL function it is in. */
  name?: string;
  from: string;
  to: string;
}

const SHOWN_MAX = 90;

const OPERATORS: Readonly<Record<string, readonly string[]>> = {
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
  '===': ['!=='],
  '!==': ['==='],
  '&&': ['||'],
  '||': ['&&'],
  '+': ['-'],
  '-': ['+'],
  '*': ['/'],
  '/': ['*'],
  '%': ['*'],
  '+=': ['-='],
  '-=': ['+='],
};
/** A method in the place of another; '': what it is called on, as it is. */
const METHODS = new Map(
  Object.entries({
    some: 'every',
    every: 'some',
    min: 'max',
    max: 'min',
    floor: 'ceil',
    ceil: 'floor',
    startsWith: 'endsWith',
    endsWith: 'startsWith',
    filter: '',
    sort: '',
    toSorted: '',
    reverse: '',
    trim: '',
    slice: '',
    normalize: '',
    toLowerCase: '',
  }),
);

/**
 * The same code with every mutant in it, each behind `__mutant(id)`: one that is not switched on changes nothing. So a
 * module is loaded once for all of them.
 */
export function instrument(file: string, text: string, firstId: number): { code: string; mutants: Mutant[] } {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const mutants: Mutant[] = [];

  /** The text of a node, its children instrumented. */
  const inside = (node: ts.Node, from = node.getStart(source)): string => {
    let out = '';
    let at = from;
    ts.forEachChild(node, (child) => {
      const start = child.getStart(source);
      out += text.slice(at, start) + emit(child);
      at = child.end;
    });
    return out + text.slice(at, node.end);
  };

  const switched = (node: ts.Node, changes: readonly string[]): string => {
    const from = text.slice(node.getStart(source), node.end);
    const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
    const choices = changes.map((to) => {
      const id = firstId + mutants.length;
      mutants.push({ id, file, line, from: shown(from), to: shown(to) });
      return `__mutant(${id})?(${to}):`;
    });
    return `(${choices.join('')}(${inside(node)}))`;
  };

  const emit = (node: ts.Node): string => {
    if (ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isExportDeclaration(node))
      return text.slice(node.getStart(source), node.end);
    const { parent } = node;
    if (isPlace(node, parent)) return text.slice(node.getStart(source), node.end);
    const changes = changesOf(node, text, source);
    return changes.length > 0 ? switched(node, changes) : inside(node);
  };

  return { code: inside(source, 0), mutants };
}

const shown = (code: string): string => code.replace(/\s+/g, ' ').slice(0, SHOWN_MAX);

/** What is written to, or named: no value that could be another one. */
function isPlace(node: ts.Node, parent: ts.Node): boolean {
  if (ts.isBinaryExpression(parent) && parent.left === node)
    return (
      parent.operatorToken.kind >= ts.SyntaxKind.FirstAssignment &&
      parent.operatorToken.kind <= ts.SyntaxKind.LastAssignment
    );
  return (
    (ts.isPropertyAssignment(parent) && parent.name === node && !ts.isComputedPropertyName(node)) ||
    (ts.isForOfStatement(parent) && parent.initializer === node)
  );
}

function changesOf(node: ts.Node, text: string, source: ts.SourceFile): string[] {
  const of = (one: ts.Node): string => text.slice(one.getStart(source), one.end);
  if (isInsideChain(node)) return [];
  if (isCondition(node)) return isLoop(node.parent) ? ['false'] : ['true', 'false'];
  if (ts.isBinaryExpression(node)) {
    if (node.operatorToken.kind === ts.SyntaxKind.QuestionQuestionToken) return [of(node.left)];
    const operator = node.operatorToken.getText(source);
    if (operator === '+' && [node.left, node.right].some(isText)) return [];
    return (OPERATORS[operator] ?? []).map((other) => `${of(node.left)} ${other} ${of(node.right)}`);
  }
  if (ts.isPrefixUnaryExpression(node))
    return node.operator === ts.SyntaxKind.ExclamationToken ? [of(node.operand)] : [];
  if (node.kind === ts.SyntaxKind.TrueKeyword) return ['false'];
  if (node.kind === ts.SyntaxKind.FalseKeyword) return ['true'];
  if (ts.isNumericLiteral(node)) return [`${of(node)} + 1`];
  if (ts.isArrayLiteralExpression(node)) return node.elements.length > 0 ? ['[]'] : [];
  if (ts.isCallExpression(node)) return callChanges(node, of);
  return [];
}

function callChanges(node: ts.CallExpression, of: (one: ts.Node) => string): string[] {
  if (node.expression.kind === ts.SyntaxKind.SuperKeyword) return [];
  const removed = ts.isExpressionStatement(node.parent) ? ['undefined'] : [];
  if (!ts.isPropertyAccessExpression(node.expression)) return removed;
  const other = METHODS.get(node.expression.name.text);
  if (other === undefined) return removed;
  const on = of(node.expression.expression);
  if (other === '') return [...removed, on];
  const dot = node.expression.questionDotToken ? '?.' : '.';
  return [...removed, `${on}${dot}${other}(${node.arguments.map(of).join(', ')})`];
}

const isText = (node: ts.Node): boolean =>
  ts.isStringLiteralLike(node) ||
  ts.isTemplateExpression(node) ||
  (ts.isBinaryExpression(node) && [node.left, node.right].some(isText));

/** Cut out of `a?.b().c` it would go on where the whole stops. */
const isInsideChain = (node: ts.Node): boolean =>
  ts.isOptionalChain(node) && ts.isOptionalChain(node.parent) && node.parent.expression === node;

const isLoop = (node: ts.Node): boolean =>
  ts.isWhileStatement(node) || ts.isForStatement(node) || ts.isDoStatement(node);

/** Of an operator that has changes of its own, those. */
function isCondition(node: ts.Node): boolean {
  const { parent } = node;
  if (ts.isBinaryExpression(node) && OPERATORS[node.operatorToken.getText()]) return false;
  if (ts.isPrefixUnaryExpression(node)) return false;
  return (
    (ts.isConditionalExpression(parent) && parent.condition === node) ||
    ((ts.isIfStatement(parent) || ts.isWhileStatement(parent)) && parent.expression === node) ||
    (ts.isForStatement(parent) && parent.condition === node)
  );
}
