import { createServer } from 'node:net';
import { DEFAULT_PORT } from '../config.ts';
import { AppError } from '../errors.ts';

const PORTS_TRIED = 20;

/** What can listen: the server of the API. */
export interface Listener {
  listen(at: { host: string; port: number }): Promise<string>;
}

/**
 * Listens where it was asked to; where nobody asked, at the default port or the next one that is free.
 * @throws AppError `address_taken`, `config_invalid`
 */
export async function listenAt(
  api: Listener,
  { host, port }: { host: string; port?: number | undefined },
  say: (line: string) => void,
  byDefault: number = DEFAULT_PORT,
): Promise<string> {
  const chosen = port ?? (await freeFrom(host, byDefault));
  if (chosen !== port && chosen !== byDefault)
    say(`Port ${byDefault} is taken: taking ${chosen}. PORTCULLIS_PORT sets another`);
  try {
    return await api.listen({ host, port: chosen });
  } catch (error) {
    throw asAppError(error, host, chosen);
  }
}

async function freeFrom(host: string, first: number): Promise<number> {
  for (let port = first; port < first + PORTS_TRIED; port++) if (await isFree(host, port)) return port;
  return first;
}

/** What goes wrong for another reason than somebody else is told by listening itself. */
const isFree = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'EADDRINUSE'));
    probe.listen({ host, port }, () => probe.close(() => resolve(true)));
  });

function asAppError(error: unknown, host: string, port: number): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE')
    return new AppError('address_taken', `Cannot listen at ${host}:${port}: something else does`, { port });
  if (code === 'EACCES')
    return new AppError(
      'config_invalid',
      `Cannot listen at port ${port}: this account may not. Set PORTCULLIS_PORT to 1024 or higher`,
    );
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return new AppError(
      'config_invalid',
      `Cannot listen at ${host}: this machine has no such address. Set PORTCULLIS_HOST to one it has, such as 127.0.0.1 or 0.0.0.0`,
    );
  return error;
}
