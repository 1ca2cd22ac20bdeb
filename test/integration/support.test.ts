import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import { expect, test } from 'vitest';
import { testPostgres, testTemporal } from '../support/context.ts';
import { createDatabase, dropDatabase } from '../support/postgres.ts';

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

test('the Temporal dev server accepts a workflow and answers about it', async () => {
  const { address, namespace } = testTemporal();
  const connection = await Connection.connect({ address });
  try {
    const client = new Client({ connection, namespace });
    const workflowId = randomUUID();
    const handle = await client.workflow.start('nobody-runs-this', { workflowId, taskQueue: randomUUID() });
    expect((await handle.describe()).status.name).toBe('RUNNING');
    await handle.terminate();
  } finally {
    await connection.close();
  }
});
