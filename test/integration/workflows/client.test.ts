import { AsyncLocalStorage } from 'node:async_hooks';
import { createServer } from 'node:net';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { temporalAnswers } from '../../../src/server/parts.ts';
import { openClient } from '../../../src/temporal/client.ts';
import { readDeployment } from '../../../src/temporal/deployment.ts';

const NAMESPACE = 'default';

test('a server that says nothing is not waited for', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => silent.once('listening', resolve));
  const { port } = silent.address() as { port: number };
  const client = openClient({ address: `127.0.0.1:${port}` }, NAMESPACE, 200);
  onTestFinished(async () => {
    await client.connection.close();
    silent.close();
  });
  const startedAt = performance.now();
  await expect(client.workflowService.getSystemInfo({})).rejects.toThrow(/DEADLINE_EXCEEDED/);
  expect(performance.now() - startedAt).toBeLessThan(5_000);
});

test('no request makes the process look at every promise that it makes', async () => {
  const client = openClient({ address: inject('temporalAddress') }, NAMESPACE);
  onTestFinished(() => client.connection.close());
  const run = vi.spyOn(AsyncLocalStorage.prototype, 'run');
  onTestFinished(() => run.mockRestore());
  expect(await temporalAnswers(client)).toBe(true);
  await readDeployment({ client, namespace: NAMESPACE });
  expect(run).not.toHaveBeenCalled();
});
