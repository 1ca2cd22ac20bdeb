import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { floorActivities } from './activities.ts';
import type { floor } from './workflow.ts';

const TASK_QUEUE = 'bench-floor';

/** One run of the floor: start, two activities, one Update in between, result. */
export interface Floor {
  once(): Promise<void>;
  /** Starts one that waits; `answer` ends it. */
  start(): Promise<{ answer(): Promise<void> }>;
  stop(): Promise<void>;
}

/** Starts the floor's worker on the server under test. */
export async function startFloor(address: string): Promise<Floor> {
  const native = await NativeConnection.connect({ address });
  const worker = await Worker.create({
    connection: native,
    taskQueue: TASK_QUEUE,
    workflowsPath: fileURLToPath(new URL('./workflow.ts', import.meta.url)),
    activities: floorActivities,
  });
  const running = worker.run();
  const connection = await Connection.connect({ address });
  const client = new Client({ connection });
  const start = async () => {
    const id = randomUUID();
    const handle = await client.workflow.start<typeof floor>('floor', {
      workflowId: `floor/${id}`,
      taskQueue: TASK_QUEUE,
      args: [id],
    });
    return {
      async answer() {
        await handle.executeUpdate('answer', { args: ['approve'] });
        await handle.result();
      },
    };
  };
  return {
    start,
    once: async () => (await start()).answer(),
    async stop() {
      worker.shutdown();
      await running;
      await Promise.all([connection.close(), native.close()]);
    },
  };
}
