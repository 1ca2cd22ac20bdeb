import { readFileSync } from 'node:fs';
import { SourceFailure } from '../net/source-failure.ts';

/**
 * The secret of a name. A token is given for the origin it is about to be sent to, and only if whoever runs the service said that
 * it belongs there: a manifest names secrets, and must not be able to send one elsewhere.
 * @throws SourceFailure it is not set, cannot be read, or is not for this origin
 */
export type SourceCredentials = (name: string, origin?: string) => string;

const PREFIX = 'PORTCULLIS_SOURCE_';

/** Secrets from the environment or from files it names; read each time, so that they may be changed. */
export const sourceCredentials =
  (env: Readonly<Record<string, string | undefined>>): SourceCredentials =>
  (name, origin) => {
    const variable = PREFIX + name;
    const [given, file, known] = ['', '_FILE', '_ORIGIN'].map((end) => env[variable + end]);
    if (!given && !file)
      throw new SourceFailure(
        `${variable} is not set: give the processes with the role background ${variable} or ${variable}_FILE`,
      );
    if (origin !== undefined && known !== origin)
      throw new SourceFailure(
        `${variable} is not for ${origin}: set ${variable}_ORIGIN=${origin} if it is to be sent there`,
      );
    if (given) return given;
    try {
      return readFileSync(file ?? '', 'utf8').trim();
    } catch {
      throw new SourceFailure(
        `${variable}_FILE cannot be read: check that the file is there and may be read`,
      );
    }
  };
