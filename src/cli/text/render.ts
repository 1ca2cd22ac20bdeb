import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';
import { spellUnseen } from '../../domain/unseen.ts';

export const WIDTH = 80;
const LINE_FEED = 10;
const TAB = 9;
const GAP = '  ';
const COLUMN_MIN = 4;
/** Text that others wrote must not steer the terminal, hide or turn its own order around: such characters are shown. */
export const plain = (text: string): string =>
  spellUnseen(text, (codePoint) => {
    if (codePoint === LINE_FEED) return '\n';
    if (codePoint === TAB) return ' ';
    const digits = codePoint.toString(16);
    return codePoint > 0xffff ? `\\u{${digits}}` : `\\u${digits.padStart(4, '0')}`;
  });

/** How many columns a terminal gives the text. */
export const displayWidth = (text: string): number => stringWidth(text, { countAnsiEscapeCodes: true });

/** Lines of at most `width` columns, broken at spaces, and inside a word only if it is longer than a line. */
export function wrap(text: string, width: number): string[] {
  return plain(text)
    .split('\n')
    .flatMap((line) => {
      // What a line is indented by, all of it is: JSON stays readable.
      const indent = /^ */.exec(line)?.[0].slice(0, Math.floor(width / 2)) ?? '';
      const rest = line.trimStart();
      if (rest === '') return [''];
      return wrapAnsi(rest, width - indent.length, { hard: true })
        .split('\n')
        .map((part) => indent + part);
    });
}

/**
 * A table without lines that fits `width` columns; cells are wrapped, never cut. By hand: cli-table3 wants to be told the
 * width of each column, which is all there is to it, and counts wide characters otherwise than what wraps them.
 */
export function table(head: readonly string[], rows: readonly (readonly string[])[], width = WIDTH): string {
  const cells = [head, ...rows].map((row) => row.map(plain));
  const widths = columnWidths(cells, width - GAP.length * (head.length - 1));
  return cells.map((row) => rowText(row, widths)).join('\n');
}

/** The lines of one row: cells side by side, as high as the highest of them. */
function rowText(row: readonly string[], widths: readonly number[]): string {
  const wrapped = row.map((cell, at) => wrap(cell, widths[at] ?? WIDTH));
  const height = Math.max(...wrapped.map((lines) => lines.length));
  const lines = Array.from({ length: height }, (_, line) =>
    wrapped.map((cell, at) => padded(cell[line] ?? '', widths[at] ?? WIDTH)).join(GAP),
  );
  return trimLines(lines.join('\n'));
}

const padded = (text: string, width: number): string =>
  text + ' '.repeat(Math.max(0, width - displayWidth(text)));

/** Natural widths; where they do not fit, the widest column that can wrap gives way first. */
function columnWidths(cells: readonly (readonly string[])[], available: number): number[] {
  const columns = (cells[0] ?? []).map((_, at) => cells.map((row) => row[at] ?? ''));
  const widest = (texts: string[]) => Math.max(COLUMN_MIN, ...texts.map(displayWidth));
  const widths = columns.map((column) => widest(column.flatMap((cell) => cell.split('\n'))));
  const words = columns.map((column) => widest(column.flatMap((cell) => cell.split(/\s/))));
  for (const least of [words, columns.map(() => COLUMN_MIN)]) {
    while (widths.reduce((sum, one) => sum + one, 0) > available) {
      const spare = widths.map((one, at) => (one > (least[at] ?? COLUMN_MIN) ? one : 0));
      const most = Math.max(...spare);
      if (most === 0) break;
      widths[spare.indexOf(most)] = most - 1;
    }
  }
  return widths;
}

/** Labels and values, one below the other; what is undefined is left out. */
export function fields(pairs: readonly (readonly [string, string | undefined])[], width = WIDTH): string {
  const shown = pairs.flatMap(([label, value]) =>
    value === undefined || value === '' ? [] : [[label, value] as const],
  );
  const indent = Math.max(0, ...shown.map(([label]) => label.length)) + GAP.length;
  return shown
    .map(([label, value]) => label.padEnd(indent) + hanging(value, indent, width))
    .map((line) => line.trimEnd())
    .join('\n');
}

/** `- first line`, the rest below it. */
export const bullets = (items: readonly string[], width = WIDTH): string =>
  items.map((item) => `  - ${hanging(item, 4, width)}`).join('\n');

/** A paragraph. */
export const paragraph = (text: string, width = WIDTH): string => wrap(text, width).join('\n');

const hanging = (text: string, indent: number, width: number): string =>
  wrap(text, width - indent).join(`\n${' '.repeat(indent)}`);

const trimLines = (text: string): string =>
  text
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');

/** A command that people copy: never broken. */
export const command = (text: string): string => `  ${plain(text).replaceAll('\n', ' ')}`;

/** One argument as a shell reads it. */
export const quoted = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;

/** Parts with an empty line between them. */
export const sections = (...parts: readonly (string | undefined)[]): string =>
  parts.filter((part) => part !== undefined && part !== '').join('\n\n');
