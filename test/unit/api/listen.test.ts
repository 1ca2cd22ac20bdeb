import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listenAt } from '../../../src/api/listen.ts';
import { DEFAULT_PORT } from '../../../src/config.ts';

const host = '127.0.0.1';
const opened: Server[] = [];

const listener = {
  listen: ({ host, port }: { host: string; port: number }) =>
    new Promise<string>((resolve, reject) => {
      const server = createServer();
      opened.push(server);
      server.once('error', reject);
      server.listen({ host, port }, () => {
        const address = server.address();
        resolve(`http://${host}:${typeof address === 'object' ? address?.port : port}`);
      });
    }),
};
const portOf = (url: string): number => Number(new URL(url).port);

beforeAll(async () => {
  // Whoever else works on this machine may have it already: taken is taken.
  await listener.listen({ host, port: DEFAULT_PORT }).catch(() => {});
});
afterAll(() => {
  for (const server of opened) server.close();
});

test('where nobody asked for a port the next free one is taken, and said', async () => {
  const said: string[] = [];
  const url = await listenAt(listener, { host }, (line) => said.push(line));
  expect(portOf(url)).toBeGreaterThan(DEFAULT_PORT);
  expect(said).toEqual([expect.stringContaining(`taking ${portOf(url)}`)]);
  expect(said[0]).toContain('PORTCULLIS_PORT');
});

test('a port that was asked for is taken or refused, with the variable that names it', async () => {
  const any = portOf(await listenAt(listener, { host, port: 0 }, () => {}));
  await expect(listenAt(listener, { host, port: any }, () => {})).rejects.toMatchObject({
    code: 'address_taken',
    message: `Cannot listen at ${host}:${any}: something else does`,
    spec: { hint: expect.stringContaining('PORTCULLIS_PORT') },
  });
});

test('an address that is not of this machine names PORTCULLIS_HOST', async () => {
  await expect(listenAt(listener, { host: '203.0.113.7', port: 0 }, () => {})).rejects.toMatchObject({
    code: 'config_invalid',
    message: expect.stringContaining('PORTCULLIS_HOST'),
  });
});
