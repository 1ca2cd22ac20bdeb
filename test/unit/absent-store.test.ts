import { expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { freePort } from '../../src/embedded/supervised-process.ts';
import { startPortcullis } from '../../src/server.ts';

test('a database that is not there is told by its address and its variable, without its password', async () => {
  const port = await freePort();
  const config = readConfig({
    DATABASE_URL: `postgres://ana:secret@127.0.0.1:${port}/desk`,
    TEMPORAL_ADDRESS: `127.0.0.1:${port}`,
    PORTCULLIS_LOG_LEVEL: 'silent',
  });
  const failure = await startPortcullis(config).then(
    () => undefined,
    (error: Error & { code?: string }) => error,
  );
  expect(failure).toMatchObject({ code: 'setup_failed' });
  expect(failure?.message).toContain(`the database 127.0.0.1:${port}/desk does not answer`);
  expect(failure?.message).toContain('Set DATABASE_URL');
  expect(failure?.message).not.toContain('secret');
});
