import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { SUPERUSER } from './initdb.ts';

const FOLDER = 'postgres';
/** What is Postgres' own, in the store's folder. */
export const DATA = 'data';
const PASSWORD_FILE = 'password';
const SERVER_FILE = 'server.json';

/** Where the embedded store lies in a data folder. */
export const storeFolder = (dataFolder: string): string => join(dataFolder, FOLDER);
export const passwordFile = (folder: string): string => join(folder, PASSWORD_FILE);

const serverSchema = z.object({ port: z.number().int(), servicePid: z.number().int() });

/** Who runs the server, and on which port it is or was last. */
export type ServerNote = z.infer<typeof serverSchema>;

export async function readNote(folder: string): Promise<ServerNote | undefined> {
  const text = await readFile(join(folder, SERVER_FILE), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : parseNote(text);
}

function parseNote(text: string): ServerNote | undefined {
  try {
    return serverSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined; // cut short when the disk was full: the next start writes it anew
  }
}

export async function writeNote(folder: string, note: ServerNote): Promise<void> {
  const path = join(folder, SERVER_FILE);
  await writeFile(`${path}.new`, `${JSON.stringify(note)}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/** The password of this store; made before the store is, and never changed. */
export async function ensurePassword(folder: string): Promise<string> {
  const path = passwordFile(folder);
  const known = await readPassword(path);
  if (known !== undefined) return known;
  const made = `${path}.${randomBytes(4).toString('hex')}`;
  await writeFile(made, `${randomBytes(24).toString('hex')}\n`, { mode: 0o600, flush: true });
  try {
    await link(made, path); // whole or not at all, and never over another one
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(made, { force: true });
  }
  return ensurePassword(folder);
}

async function readPassword(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

export const urlOf = (port: number, password: string): string =>
  `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/postgres`;

/**
 * The URL of the store in a data folder, for whoever may read the folder, service or not; undefined when there is
 * none. Whether anything answers there is another matter.
 */
export function embeddedUrl(dataFolder: string): string | undefined {
  const folder = storeFolder(dataFolder);
  try {
    const note = parseNote(readFileSync(join(folder, SERVER_FILE), 'utf8'));
    return note && urlOf(note.port, readFileSync(passwordFile(folder), 'utf8').trim());
  } catch {
    return undefined;
  }
}
