/** Keys from the top of a manifest down to a value. */
export type ManifestPath = readonly (string | number)[];

/** What a check found, by path; a `Problem` once it is known where that path stands in a file. */
export interface CheckProblem {
  path: ManifestPath;
  message: string;
  hint: string;
  /** Point at the key instead of the value. */
  atKey?: boolean;
  /** The part of a text value it is about, as offsets into the text. */
  range?: { start: number; end: number };
  /** Other places that the message names as `{others}`. */
  others?: readonly ManifestPath[];
}

/** What is wrong, where, and how to mend it. `line` is 0 when there is no text, as for a request body. */
export interface Problem {
  file: string;
  line: number;
  column: number;
  path: string;
  message: string;
  hint: string;
}

/** A path as people write it: `grants[0].credential.ttl`. */
export const pathText = (path: ManifestPath): string =>
  path
    .map((key) =>
      typeof key === 'number' ? `[${key}]` : /^[\w-]+$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`,
    )
    .join('')
    .replace(/^\./, '');

/** One problem a line: `agent.yaml:12:5 what - how to mend it`. */
export function formatProblems(problems: readonly Problem[]): string {
  return problems
    .map(({ file, line, column, path, message, hint }) => {
      const where = line > 0 ? `${file}:${line}:${column}` : `${file}${path === '' ? '' : ` ${path}`}:`;
      return `${where} ${message} - ${hint}`;
    })
    .join('\n');
}

/** The text with a capital letter first. */
export const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
