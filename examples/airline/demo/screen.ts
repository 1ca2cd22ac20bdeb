/** Where lines go. Nothing here is wider than 80 columns. */
export interface Screen {
  /** True: somebody may be looking and typing. */
  interactive: boolean;
  line(text?: string): void;
  /** A line from elsewhere, wrapped. */
  told(text: string): void;
  heading(text: string): void;
  /** A paragraph beside its name, wrapped. */
  item(name: string, text: string): void;
}

const WIDTH = 78;
const NAME_WIDTH = 13;
const INDENT = '  ';

export const padEnd = (text: string, width: number): string => text.padEnd(width);
export const padStart = (value: string | number, width: number): string => String(value).padStart(width);

/** Breaks at spaces so that no line is longer than `width`. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return line === '' ? lines : [...lines, line];
}

/** E-values and their thresholds: three digits that matter. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '-';
  if (value >= 10_000) return value.toExponential(1);
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

export const percentOf = (part: number, of: number): string =>
  of === 0 ? '-' : `${Math.round((100 * part) / of)} %`;

export function createScreen(out: NodeJS.WriteStream, { interactive }: { interactive: boolean }): Screen {
  const bold = (text: string) => (out.isTTY && !process.env.NO_COLOR ? `\u001b[1m${text}\u001b[22m` : text);
  const line = (text = '') => void out.write(`${text === '' ? '' : INDENT + text}\n`);
  return {
    interactive,
    line,
    told(text) {
      for (const part of wrap(text, WIDTH - INDENT.length)) line(part);
    },
    heading(text) {
      line();
      line(bold(text));
      line('─'.repeat(Math.min(WIDTH - INDENT.length, Math.max(text.length, 24))));
    },
    item(name, text) {
      const lines = wrap(text, WIDTH - NAME_WIDTH - INDENT.length);
      for (const [at, part] of lines.entries()) line(`${padEnd(at === 0 ? name : '', NAME_WIDTH)}${part}`);
    },
  };
}
