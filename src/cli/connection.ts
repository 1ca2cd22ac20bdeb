import { readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import type { CliIo } from './io.ts';

export const DEFAULT_URL = 'http://127.0.0.1:8080';
const TOKEN_FILE = 'token';
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Where the service is, who asks, and where both were found. */
export interface Connection {
  url: string;
  token?: string;
  /** For hints: what the token came from. */
  tokenFrom: 'option' | 'environment' | 'file' | 'nowhere';
  tokenFile: string;
  /** Whether it is the service whose data folder this is. */
  isLocal: boolean;
  /** Where the switch's own process is, or would be by default. */
  switchUrl?: string;
}

/** The folder of the embedded parts. */
export function dataFolder({ env, cwd }: Pick<CliIo, 'env' | 'cwd'>): string {
  const folder = env.PORTCULLIS_DATA || '.portcullis';
  return isAbsolute(folder) ? folder : join(cwd, folder);
}

/** Options, then the environment, then the file that an embedded `up` writes. */
export function findConnection(
  io: Pick<CliIo, 'env' | 'cwd'>,
  given: { url?: string; token?: string },
): Connection {
  const tokenFile = join(dataFolder(io), TOKEN_FILE);
  const local = readLocal(tokenFile);
  const asked = given.url ?? (io.env.PORTCULLIS_URL || undefined);
  const url = (asked ?? local?.url ?? DEFAULT_URL).replace(/\/+$/, '');
  const isLocal = local !== undefined && isSamePlace(url, local.url);
  const switchUrl = io.env.PORTCULLIS_SWITCH_URL || (isLocal && local.switchUrl) || nextPort(url);
  const found = { url, tokenFile, isLocal, switchUrl };
  if (given.token) return { ...found, token: given.token, tokenFrom: 'option' };
  if (io.env.PORTCULLIS_TOKEN) return { ...found, token: io.env.PORTCULLIS_TOKEN, tokenFrom: 'environment' };
  // This machine's token is for the service that wrote it, and is sent nowhere else.
  return isLocal ? { ...found, token: local.token, tokenFrom: 'file' } : { ...found, tokenFrom: 'nowhere' };
}

/** Where the switch listens by default; behind a proxy nobody knows. */
function nextPort(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, hostname, port } = new URL(url);
  return protocol === 'http:' && port !== '' ? `http://${hostname}:${Number(port) + 1}` : undefined;
}

function readLocal(file: string): { url: string; token: string; switchUrl?: string } | undefined {
  try {
    const { url, token, switchUrl } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    if (typeof url !== 'string' || typeof token !== 'string') return undefined;
    return typeof switchUrl === 'string' ? { url, token, switchUrl } : { url, token };
  } catch {
    return undefined;
  }
}

function isSamePlace(one: string, other: string): boolean {
  try {
    const [a, b] = [new URL(one), new URL(other)];
    const sameHost = a.hostname === b.hostname || (LOOPBACK.has(a.hostname) && LOOPBACK.has(b.hostname));
    return a.protocol === b.protocol && a.port === b.port && sameHost;
  } catch {
    return false;
  }
}
