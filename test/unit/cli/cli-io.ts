import type { CliIo } from '../../../src/cli/io.ts';
import { runCli } from '../../../src/cli/run.ts';

/** What one command printed and how it ended. */
export interface CliResult {
  code: number;
  out: string;
  err: string;
  /** Standard output in one line: however it was wrapped. */
  flat: string;
  /** Standard output as JSON. */
  json<T = Record<string, unknown>>(): T;
}

export interface CliTestOptions extends Partial<Omit<CliIo, 'out' | 'err' | 'confirm' | 'edit'>> {
  /** Answers to questions, in order; none left is no. */
  answers?: boolean[];
  /** What an editor saves, given what it opened. */
  edited?(text: string): string | Promise<string>;
  /** Called with everything on standard output as it comes. */
  onOut?(text: string): void;
}

/** Runs a command in this process, in a terminal of its own. */
export async function runInTest(argv: readonly string[], options: CliTestOptions = {}): Promise<CliResult> {
  const { answers, edited, onOut, ...given } = options;
  const left = [...(answers ?? [])];
  let [out, err] = ['', ''];
  const io: CliIo = {
    env: {},
    cwd: '/nowhere',
    user: 'ana',
    interactive: answers !== undefined,
    columns: 80,
    program: 'portcullis',
    now: () => new Date('2026-01-01T00:00:00Z'),
    interrupted: () => new AbortController().signal,
    ...given,
    out(text) {
      out += text;
      onOut?.(text);
    },
    err(text) {
      err += text;
    },
    async confirm(question) {
      err += `${question}\n`;
      return left.shift() ?? false;
    },
    edit: async (_, text) => edited?.(text) ?? text,
  };
  const code = await runCli(argv, io);
  return { code, out, err, flat: out.replace(/\s+/g, ' '), json: <T>() => JSON.parse(out) as T };
}

/** Lines that a terminal of 80 columns would break. */
export const tooLong = (text: string, width = 80): string[] =>
  text.split('\n').filter((line) => line.length > width);
