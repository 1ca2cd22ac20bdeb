/** What an expression of Prometheus names: each metric with the labels it is asked by. */
export interface Named {
  metric: string;
  labels: string[];
  /** `loop="judge|evidence"` as loop → judge, evidence. */
  values: Record<string, string[]>;
}

const AGGREGATIONS = ['sum', 'min', 'max', 'avg', 'count', 'topk', 'bottomk', 'quantile', 'stddev'];
const FUNCTIONS = [
  'rate',
  'increase',
  'irate',
  'absent',
  'histogram_quantile',
  'clamp_min',
  'time',
  'delta',
  'label_replace',
];
const WORDS = new Set([
  ...AGGREGATIONS,
  ...FUNCTIONS,
  'by',
  'without',
  'and',
  'or',
  'unless',
  'on',
  'ignoring',
  'bool',
  'offset',
]);

const SELECTOR = /([a-zA-Z_:][\w:]*)\s*(\{[^}]*\})?/g;
const MATCHER = /(\w+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"/g;
const GROUPING = /\b(?:by|without|on|ignoring)\s*\(([^)]*)\)/g;

/**
 * Reads the names out of an expression.
 * @throws Error for parentheses that do not match and for what is not read whole
 */
export function namesIn(expression: string): Named[] {
  assertBalanced(expression);
  const grouped = [...expression.matchAll(GROUPING)].flatMap(([, names = '']) =>
    names.split(',').map((n) => n.trim()),
  );
  const rest = expression
    .replace(GROUPING, ' ')
    .replace(/\[[^\]]*\]/g, ' ')
    .replace(/(?<![\w:])\d+(\.\d+)?([eE]\d+)?(?![\w:])/g, ' ');
  const named: Named[] = [];
  for (const [, word = '', matchers = ''] of rest.matchAll(SELECTOR)) {
    if (WORDS.has(word)) continue;
    const found = [...matchers.matchAll(MATCHER)];
    if (matchers.replace(MATCHER, '').replace(/[{},\s]/g, '') !== '')
      throw new Error(`matchers that are not understood: ${matchers}`);
    named.push({
      metric: word,
      labels: [...found.map(([, label = '']) => label), ...grouped],
      values: Object.fromEntries(found.map(([, label = '', value = '']) => [label, value.split('|')])),
    });
  }
  if (named.length === 0) throw new Error(`names no metric: ${expression}`);
  return named;
}

function assertBalanced(expression: string): void {
  const open: string[] = [];
  const pairs: Record<string, string> = { ')': '(', ']': '[', '}': '{' };
  for (const char of expression.replace(/"[^"]*"/g, '')) {
    if ('([{'.includes(char)) open.push(char);
    else if (char in pairs && open.pop() !== pairs[char])
      throw new Error(`does not close what it opens: ${expression}`);
  }
  if (open.length > 0) throw new Error(`does not close what it opens: ${expression}`);
}
