import { userInfo } from 'node:os';
import { ownName } from './own-name.ts';

/** Everything a command touches besides the service: tests give their own. */
export interface CliIo {
  env: NodeJS.ProcessEnv;
  cwd: string;
  /** The account that runs the command. */
  user: string;
  /** Somebody can be asked. */
  interactive: boolean;
  columns: number;
  /** How this program is called here, for hints. */
  program: string;
  out(text: string): void;
  err(text: string): void;
  confirm(question: string): Promise<boolean>;
  /** Opens the text in the person's editor ($VISUAL, $EDITOR) and gives back what was saved. */
  edit(question: string, text: string): Promise<string>;
  now(): Date;
  /** For commands that follow something: Ctrl-C aborts it; pressed again it ends the process. */
  interrupted(): AbortSignal;
}

const COLUMNS_DEFAULT = 80;
const COLUMNS_MAX = 160;

/** The terminal, or whatever stands in its place. */
export function processIo(): CliIo {
  const { stdin, stdout, stderr, env } = process;
  // `portcullis log tail | head` closes the pipe early: that is no failure.
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  return {
    env,
    cwd: process.cwd(),
    user: userInfo().username,
    interactive: stdin.isTTY === true && stderr.isTTY === true,
    columns: stdout.isTTY
      ? Math.min(COLUMNS_MAX, Math.max(COLUMNS_DEFAULT, stdout.columns))
      : COLUMNS_DEFAULT,
    program: ownName(env.PATH),
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    async confirm(message) {
      const { confirm } = await import('@inquirer/prompts');
      return confirm({ message, default: false }, { output: stderr });
    },
    async edit(message, text) {
      const { editor } = await import('@inquirer/prompts');
      return editor(
        { message, default: text, postfix: '.json', waitForUserInput: false },
        { output: stderr },
      );
    },
    now: () => new Date(),
    interrupted() {
      const controller = new AbortController();
      process.once('SIGINT', () => controller.abort());
      return controller.signal;
    },
  };
}
