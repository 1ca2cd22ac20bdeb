import { AppError, ERRORS, type ErrorCode } from '../errors.ts';
import { EXIT_OF_ERROR, type ExitName } from './exit-codes.ts';

export interface FailureParts {
  hint?: string;
  /** The service's stable code, where there is one. */
  code?: string;
  /** Names the occurrence in the service log. */
  instance?: string;
  details?: Readonly<Record<string, unknown>>;
  cause?: unknown;
}

/** A command that did not do what was asked: what and why, how to mend it, and the exit code. */
export class CliError extends Error {
  readonly exit: ExitName;
  readonly hint?: string;
  readonly code?: string;
  readonly instance?: string;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(exit: ExitName, message: string, { hint, code, instance, details, cause }: FailureParts = {}) {
    super(message, { cause });
    this.name = 'CliError';
    this.exit = exit;
    this.hint = hint;
    this.code = code;
    this.instance = instance;
    this.details = details ?? {};
  }
}

/** The exit code of a stable code; one this version does not know goes by its HTTP status. */
export function exitOf(code: string | undefined, status: number): ExitName {
  if (code !== undefined && Object.hasOwn(ERRORS, code)) return EXIT_OF_ERROR[code as ErrorCode];
  if (status === 401 || status === 403) return 'not-allowed';
  if (status >= 500) return 'unreachable';
  return status === 400 || status === 404 || status === 422 ? 'usage' : 'refused';
}

/** Any failure as one that can be told. */
export function asCliError(error: unknown): CliError {
  if (error instanceof CliError) return error;
  if (error instanceof AppError) {
    const { code, details } = error;
    return new CliError(EXIT_OF_ERROR[code], error.message, { hint: error.spec.hint, code, details });
  }
  const { code, path } = error as NodeJS.ErrnoException;
  if (path !== undefined && (code === 'ENOENT' || code === 'EACCES' || code === 'EISDIR')) {
    const why = { ENOENT: 'there is no such file', EACCES: 'it may not be read', EISDIR: 'it is a folder' }[
      code
    ];
    return new CliError('usage', `Cannot use ${path}: ${why}`, { hint: 'Check the path' });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new CliError('unreachable', `Something went wrong: ${message}`, { cause: error });
}

/** What is printed for a failure. */
export function failureText({ message, hint, code, instance }: CliError): string {
  const about = [code, instance].filter((part) => part !== undefined).join(', ');
  return [message, ...(hint ? [`Hint: ${hint}`] : []), ...(about ? [`Code: ${about}`] : [])].join('\n');
}

/** The same with `--output json`. */
export const failureJson = ({ message, hint, code, instance, details, exit }: CliError): object => ({
  error: { message, hint, code, instance, exit, details },
});
