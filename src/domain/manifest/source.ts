import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  Scalar,
  type YAMLError,
} from 'yaml';
import type { CheckProblem, ManifestPath, Problem } from '../problem.ts';
import { pathText } from '../problem.ts';
import { findTraps, type Respelled, respelledIn } from './yaml-traps.ts';

export const MANIFEST_LENGTH_MAX = 1_000_000;
const SYNTAX_PROBLEMS_MAX = 10;

/** Knows where each path of a manifest stands in its text. */
export interface ManifestSource {
  file: string;
  /** The numbers that are not written as they are read. */
  respelled: readonly Respelled[];
  locate(problem: Pick<CheckProblem, 'path' | 'atKey' | 'range'>): { line: number; column: number };
}

/** A manifest that came as a value, such as a request body: there are no lines to point at. */
export const bodySource = (file = 'body'): ManifestSource => ({
  file,
  respelled: [],
  locate: () => ({ line: 0, column: 0 }),
});

/** Puts a file and a position to what the checks found, in reading order. */
export function locateProblems(source: ManifestSource, found: readonly CheckProblem[]): Problem[] {
  return found
    .map((problem) => {
      const { path, hint } = problem;
      const message = problem.message.replace('{others}', othersText(source, problem.others ?? []));
      return { file: source.file, ...source.locate(problem), path: pathText(path), message, hint };
    })
    .sort((a, b) => a.line - b.line || a.column - b.column);
}

/** "line 7", "lines 7 and 9"; the paths where there are no lines. */
function othersText(source: ManifestSource, others: readonly ManifestPath[]): string {
  const lines = others.map((path) => source.locate({ path }).line);
  if (lines.includes(0)) return others.map(pathText).join(' and ');
  return `line${lines.length > 1 ? 's' : ''} ${lines.join(' and ')}`;
}

/** YAML (or JSON) as a plain value with its positions, or why it cannot be read. */
export type ParsedText =
  | { ok: true; value: unknown; source: ManifestSource }
  | { ok: false; problems: Problem[] };

/** Parses the text of a manifest. Never throws. */
export function parseText(file: string, text: string): ParsedText {
  const problem = (line: number, column: number, message: string, hint: string): Problem => {
    return { file, line, column, path: '', message, hint };
  };
  if (text.length > MANIFEST_LENGTH_MAX)
    return {
      ok: false,
      problems: [problem(1, 1, 'The file is too long', `Keep it under ${MANIFEST_LENGTH_MAX} characters`)],
    };
  const lines = new LineCounter();
  const read = withoutTabs(text);
  // Keys that stand twice are found with the other traps: the parser compares each key with every other.
  const document = parseDocument(read, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  const problems = causesOnly([...document.errors, ...document.warnings]).map((error) => {
    const { line, col } = lines.linePos(Math.min(error.pos[0], text.length));
    return problem(line, col, firstLine(error.message), SYNTAX_HINTS[error.code] ?? 'Mend the YAML here');
  });
  if (problems.length > 0) return { ok: false, problems };
  const traps = findTraps(document).slice(0, SYNTAX_PROBLEMS_MAX);
  if (traps.length > 0)
    return {
      ok: false,
      problems: traps.map(({ offset, message, hint }) => {
        const { line, col } = lines.linePos(offset);
        return problem(line, col, message, hint);
      }),
    };
  if (document.contents === null)
    return { ok: false, problems: [problem(1, 1, 'The file is empty', 'Write a manifest')] };
  try {
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    return { ok: true, value, source: new TextSource(file, read, document.contents, document, lines) };
  } catch (error) {
    const message = firstLine(error instanceof Error ? error.message : 'The YAML cannot be read');
    return { ok: false, problems: [problem(1, 1, message, 'Write the values out instead of using aliases')] };
  }
}

/** One broken bracket makes the parser stumble over all that follows: that would bury the cause. */
const causesOnly = (errors: readonly YAMLError[]): YAMLError[] =>
  errors.filter((error, at) => at === 0 || error.code !== 'UNEXPECTED_TOKEN').slice(0, SYNTAX_PROBLEMS_MAX);

const SYNTAX_HINTS: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'Indent with spaces',
  MULTIPLE_DOCS: 'Write one manifest per file',
  BLOCK_AS_IMPLICIT_KEY: 'Put text that contains ": " in quotes',
  BAD_INDENT: 'Close the bracket, or indent the line',
  MISSING_CHAR: 'Close the quote or bracket',
  UNEXPECTED_TOKEN: 'Put the text in quotes, or close the bracket before it',
  TAG_RESOLVE_FAILED: 'Leave the tag out',
};

/** JSON may be indented with tabs, YAML may not; the positions stay. */
const withoutTabs = (text: string): string =>
  /^\s*\{/.test(text) ? text.replace(/^[\t ]+/gm, (indent) => ' '.repeat(indent.length)) : text;

const firstLine = (text: string): string =>
  (text.split('\n')[0] ?? text).replace(/ at line \d+.*$/, '').replace(/:$/, '');

interface Found {
  key?: Node;
  value?: Node;
}

class TextSource implements ManifestSource {
  readonly respelled: readonly Respelled[];

  constructor(
    readonly file: string,
    readonly text: string,
    readonly root: Node,
    readonly document: ReturnType<typeof parseDocument>,
    readonly lines: LineCounter,
  ) {
    this.respelled = respelledIn(document);
  }

  locate({ path, atKey, range }: Pick<CheckProblem, 'path' | 'atKey' | 'range'>): {
    line: number;
    column: number;
  } {
    const { key, value } = this.#find(path);
    const inside = range && isScalar(value) ? this.#inScalar(value, range.start) : undefined;
    const node = atKey || !isScalar(value) ? (key ?? value) : value;
    const { line, col } = this.lines.linePos(inside ?? node?.range?.[0] ?? 0);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  }

  /** The node at `path`, or the nearest one above it that is there. */
  #find(path: ManifestPath): Found {
    let found: Found = { value: this.root };
    for (const step of path) {
      const next = this.#member(found.value, step);
      if (next === undefined) break;
      found = next;
    }
    return found;
  }

  #member(node: Node | undefined, step: string | number): Found | undefined {
    const target = isAlias(node) ? node.resolve(this.document) : node;
    if (isSeq(target)) {
      const item = target.items[Number(step)] as Node | undefined;
      return item && { value: item };
    }
    if (!isMap(target)) return undefined;
    const pair = target.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
    return pair && { key: pair.key as Node, value: (pair.value ?? undefined) as Node | undefined };
  }

  /** The place of an offset into a scalar's value in the text; the scalar's start where escapes or folding hide it. */
  #inScalar(scalar: Scalar, offset: number): number | undefined {
    const [start, end] = scalar.range ?? [0, 0];
    const value = String(scalar.value);
    if (scalar.type === Scalar.BLOCK_LITERAL) return this.#inBlock(start, value, offset);
    const at = this.text.slice(start, end).indexOf(value);
    return at < 0 ? undefined : start + at + offset;
  }

  #inBlock(start: number, value: string, offset: number): number | undefined {
    const before = value.slice(0, offset).split('\n');
    let lineStart = this.text.indexOf('\n', start) + 1;
    for (let skip = before.length - 1; skip > 0; skip--) lineStart = this.text.indexOf('\n', lineStart) + 1;
    const line = value.split('\n')[before.length - 1] ?? '';
    const indent = this.text.slice(lineStart).indexOf(line);
    return indent < 0 ? undefined : lineStart + indent + (before.at(-1)?.length ?? 0);
  }
}
