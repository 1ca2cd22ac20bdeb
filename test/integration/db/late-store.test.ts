import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readConfig } from '../../../src/config.ts';
import { startPortcullis } from '../../../src/server.ts';
import { createStore } from '../../support/services.ts';

/** In front of the store: takes the first connection, and never says a word on it. */
async function slowAtFirst(store: URL) {
  let connections = 0;
  const server = createServer((socket) => {
    socket.on('error', () => {});
    if (++connections === 1) return;
    const real = connect(Number(store.port), store.hostname);
    real.on('error', () => socket.destroy());
    socket.on('close', () => real.destroy());
    real.on('close', () => socket.destroy());
    socket.pipe(real).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(store);
  url.port = String((server.address() as AddressInfo).port);
  return { url: url.href, stop: () => void server.close() };
}

test('a store that is late to take a connection, as among many processes that start at once, ends no start', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-late-'));
  const store = await slowAtFirst(new URL(await createStore()));
  const config = readConfig(
    {
      DATABASE_URL: store.url,
      PORTCULLIS_DATA: folder,
      PORTCULLIS_PORT: '0',
      PORTCULLIS_PUBLIC_URL: 'http://127.0.0.1:8080',
      PORTCULLIS_LOG_LEVEL: 'silent',
    },
    ['api'],
  );
  const said: string[] = [];
  const service = await startPortcullis(config, { say: (line) => void said.push(line) });
  try {
    expect((await fetch(`${service.url}/readyz`)).status).toBe(200);
    expect(said).toContain('The store was too slow to take a connection: starting once more');
  } finally {
    await service.stop();
    store.stop();
    await rm(folder, { recursive: true, force: true });
  }
});
