import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTimeSkippingEnv } from '../support/test-server.ts';
import type { sleeper } from './support.workflows.ts';

const DAYS_90_MS = 90 * 24 * 60 * 60 * 1_000;

let environment: TestWorkflowEnvironment;

beforeAll(async () => {
  environment = await createTimeSkippingEnv();
});
afterAll(() => environment?.teardown());

test('createTimeSkippingEnv() lets 90 days pass in seconds', async () => {
  const taskQueue = randomUUID();
  const worker = await Worker.create({
    connection: environment.nativeConnection,
    taskQueue,
    workflowsPath: fileURLToPath(new URL('./support.workflows.ts', import.meta.url)),
  });
  const startedAt = performance.now();
  const sleptMs = await worker.runUntil(
    environment.client.workflow.execute<typeof sleeper>('sleeper', {
      workflowId: randomUUID(),
      taskQueue,
      args: ['90 days'],
    }),
  );
  expect(sleptMs).toBeGreaterThanOrEqual(DAYS_90_MS);
  expect(performance.now() - startedAt).toBeLessThan(30_000);
});
