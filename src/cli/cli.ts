import type { Command } from 'commander';
import { ApiClient } from './client.ts';
import { type Connection, findConnection } from './connection.ts';
import type { ExitName } from './exit-codes.ts';
import { CliError } from './failure.ts';
import type { CliIo } from './io.ts';
import { asTypedHere } from './text/program-name.ts';

export interface GlobalOptions {
  output?: 'table' | 'json';
  url?: string;
  token?: string;
}

/** What every command is given: the terminal, the service, and how to print. */
export class Cli {
  readonly io: CliIo;
  exit: ExitName = 'ok';
  #options: GlobalOptions = {};
  #api: ApiClient | undefined;

  /** `commands`: the words that may follow the program's name. */
  constructor(
    io: CliIo,
    readonly commands: readonly string[],
  ) {
    this.io = io;
  }

  use(options: GlobalOptions): void {
    this.#options = options;
  }

  get json(): boolean {
    return this.#options.output === 'json';
  }

  get connection(): Connection {
    return findConnection(this.io, this.#options);
  }

  get api(): ApiClient {
    this.#api ??= new ApiClient(this.connection);
    return this.#api;
  }

  /** The data as JSON, or the text made for people. */
  print(data: unknown, text: () => string): void {
    this.io.out(`${this.json ? JSON.stringify(data, null, 2) : this.told(text())}\n`);
  }

  /** For people, beside what is printed. */
  note(text: string): void {
    if (!this.json) this.io.err(`${this.told(text)}\n`);
  }

  /** With commands as they can be typed here. */
  told(text: string): string {
    return asTypedHere(text, this.io, this.commands);
  }

  /**
   * @throws CliError `usage` where nobody can be asked
   */
  async ask(question: string, instead: string): Promise<boolean> {
    if (this.io.interactive) return this.io.confirm(question);
    throw new CliError('usage', 'Cannot ask: there is no terminal', { hint: instead });
  }
}

/** A group of commands: adds itself to the program. */
export type RegisterCommands = (program: Command, cli: Cli) => void;

/** Adds an example to `--help`. */
export const withExample = (command: Command, ...lines: readonly string[]): Command =>
  command.addHelpText('after', `\nExample:\n${lines.map((line) => `  $ ${line}`).join('\n')}`);

/** Collects an option that may be given several times. */
export const collect = (value: string, before: string[] = []): string[] => [...before, value];

/** @throws CliError `usage` when the text is not a whole number of at least `least` */
export function wholeNumber(name: string, text: string, least = 1): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new CliError('usage', `${name} is a whole number of at least ${least}, not "${text}"`);
}

/** @throws CliError `usage` when the text is not a number */
export function realNumber(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw new CliError('usage', `${name}: "${text}" is not a number`);
}
