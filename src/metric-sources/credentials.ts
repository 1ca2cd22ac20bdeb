import { readFileSync } from 'node:fs';
import { SourceFailure } from '../net/source-failure.ts';

/** The secret of a name. @throws SourceFailure it is not set, or cannot be read */
export type SourceCredentials = (name: string) => string;

const PREFIX = 'PORTCULLIS_SOURCE_';

/** Secrets from the environment or from files it names; read each time, so that they may be changed. */
export const sourceCredentials =
  (env: Readonly<Record<string, string | undefined>>): SourceCredentials =>
  (name) => {
    const [variable, given, file] = [PREFIX + name, env[PREFIX + name], env[`${PREFIX}${name}_FILE`]];
    if (given) return given;
    if (!file)
      throw new SourceFailure(
        `${variable} is not set: give the processes with the role background ${variable} or ${variable}_FILE`,
      );
    try {
      return readFileSync(file, 'utf8').trim();
    } catch {
      throw new SourceFailure(
        `${variable}_FILE cannot be read: check that the file is there and may be read`,
      );
    }
  };
