import { randomBytes } from 'node:crypto';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { AppError } from '../errors.ts';
import { SEALING_KEY_BYTES } from './sealing.ts';

const OTHERS = 0o077;

/** The key that opens what the store keeps sealed, and where it is from. */
export interface SealingKey {
  key: Buffer;
  /** For people: `PORTCULLIS_KEY`, or the file. */
  from: string;
}

export interface SealingPlace {
  /** `PORTCULLIS_KEY`. */
  given?: string;
  /** `PORTCULLIS_KEY_FILE`, or the one in the data folder. */
  file: string;
}

/** @throws AppError `config_invalid` */
export function sealingKeyOf(text: string, from: string): SealingKey {
  const key = Buffer.from(text.trim(), 'base64');
  if (key.length === SEALING_KEY_BYTES && /^[\w+/-]+=*$/.test(text.trim())) return { key, from };
  throw new AppError(
    'config_invalid',
    `Cannot start:\n- ${from}: must be ${SEALING_KEY_BYTES} random bytes in base64, as openssl rand -base64 32 writes them`,
  );
}

/**
 * The key that is given or kept; `undefined`: there is none yet. A file that others may read is closed, with a word.
 * @throws AppError `config_invalid`
 */
export function findSealingKey(
  { given, file }: SealingPlace,
  say: (line: string) => void,
): SealingKey | undefined {
  if (given !== undefined) return sealingKeyOf(given, 'PORTCULLIS_KEY');
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new AppError(
      'config_invalid',
      `Cannot start:\n- PORTCULLIS_KEY_FILE: ${file} cannot be read`,
      {},
      { cause: error },
    );
  }
  if (process.platform !== 'win32' && (statSync(file).mode & OTHERS) !== 0) {
    chmodSync(file, 0o600);
    say(`${file} was open to other accounts of this machine; it is closed now (0600)`);
  }
  return sealingKeyOf(text, file);
}

/** Makes the key on the first start. Two processes that start at once agree on one. */
export function makeSealingKey({ file }: SealingPlace, say: (line: string) => void): SealingKey {
  const text = `${randomBytes(SEALING_KEY_BYTES).toString('base64')}\n`;
  try {
    writeFileSync(file, text, { mode: 0o600, flag: 'wx' });
    say(`Made ${file}: it opens the signing keys in the database. Keep a copy apart from the database`);
    return sealingKeyOf(text, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return sealingKeyOf(readFileSync(file, 'utf8'), file);
  }
}
