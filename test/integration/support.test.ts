import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import { expect, test } from 'vitest';
import { startTemporalServer } from '../../src/embedded/temporal-server.ts';
import { testPostgres, testTemporal, testTemporalBinary } from '../support/context.ts';
import { createDatabase, dropDatabase, startPostgres } from '../support/postgres.ts';

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

test('createDatabase() gives an empty database of a real Postgres', async () => {
  const url = await createDatabase(testPostgres());
  await query(url, 'create table only_here (id int)');
  expect(await query(url, 'select count(*)::int as count from only_here')).toEqual([{ count: 0 }]);

  await dropDatabase(testPostgres(), url);
  await expect(query(url, 'select 1')).rejects.toThrow('does not exist');
});

test('createDatabase() prepares a template once, also for callers at the same time', async () => {
  const prepared: string[] = [];
  const template = {
    name: `template_${randomUUID()}`,
    prepare: async (url: string) => {
      prepared.push(url);
      await query(url, 'create table from_template as select 7 as number');
    },
  };
  const urls = await Promise.all([1, 2, 3].map(() => createDatabase(testPostgres(), template)));
  expect(prepared).toHaveLength(1);
  expect(new Set(urls).size).toBe(3);
  for (const url of urls) {
    expect(await query(url, 'select number from from_template')).toEqual([{ number: 7 }]);
  }
});

test('startPostgres() keeps its data over a restart', async () => {
  const server = await startPostgres({ own: true });
  try {
    const url = await createDatabase(server);
    await query(url, 'create table kept as select 7 as number');
    await server.restart();
    expect(await query(url, 'select number from kept')).toEqual([{ number: 7 }]);
  } finally {
    await server.stop();
  }
});

test('startTemporalServer() starts it again where it panicked, as over a port, and says of a last panic why', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-panic-'));
  const panicking = async (name: string, times: number) => {
    const binary = join(folder, name);
    const script = `#!/bin/sh
echo x >> '${binary}.starts'
if [ "$(wc -l < '${binary}.starts')" -le ${times} ]; then
  echo 'panic: failed assigning ephemeral port' >&2; yes 'goroutine' | head -n 1000; exit 2
fi
exec '${testTemporalBinary()}' "$@"
`;
    await writeFile(binary, script, { mode: 0o755 });
    return { binary, logFile: join(folder, `${name}.log`), namespace: 'default' };
  };
  try {
    const server = await startTemporalServer(await panicking('twice', 2));
    expect(server.failure()).toBeUndefined();
    await server.stop();
    await expect(startTemporalServer(await panicking('always', 9))).rejects.toThrow(
      /ended \(code 2\)\npanic: failed assigning ephemeral port/,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

async function withClient<T>(address: string, namespace: string, use: (client: Client) => Promise<T>) {
  const connection = await Connection.connect({ address });
  try {
    return await use(new Client({ connection, namespace }));
  } finally {
    await connection.close();
  }
}

test('the Temporal dev server accepts a workflow and answers about it', async () => {
  const { address, namespace } = testTemporal();
  await withClient(address, namespace, async (client) => {
    const workflowId = randomUUID();
    const handle = await client.workflow.start('nobody-runs-this', { workflowId, taskQueue: randomUUID() });
    expect((await handle.describe()).status.name).toBe('RUNNING');
    await handle.terminate();
  });
});

const binary = testTemporalBinary();

test.skipIf(binary === undefined)('startTemporalServer() keeps its workflows over a crash', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-temporal-'));
  const files = { dbFile: join(folder, 'temporal.db'), logFile: join(folder, 'temporal.log') };
  const server = await startTemporalServer({ binary: binary ?? '', namespace: 'portcullis', ...files });
  const { address, namespace } = server;
  const workflowId = randomUUID();
  try {
    await withClient(address, namespace, (client) =>
      client.workflow.start('nobody-runs-this', { workflowId, taskQueue: randomUUID() }),
    );
    await server.kill();
    expect(server.failure()).toContain('SIGKILL');
    await server.restart();
    const { status } = await withClient(address, namespace, (client) =>
      client.workflow.getHandle(workflowId).describe(),
    );
    expect(status.name).toBe('RUNNING');
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
});
