import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { openDatabase } from '../../../src/db/database.ts';
import { holders } from '../../../src/db/exclusive.ts';
import { testPostgres } from '../../support/context.ts';
import { createDatabase, dropDatabase } from '../../support/postgres.ts';
import { until } from '../../support/service-process.ts';

const TAKEN_OVER_WITHIN_MS = 30_000;
/** What a process that goes on would do by then. */
const LATE_MS = 1_500;
const HOLDER = fileURLToPath(new URL('./exclusive-holder.ts', import.meta.url));

/** A store where processes that do the same work in this way note who they are. */
async function givenWork(way: string) {
  const url = await createDatabase(testPostgres());
  const db = await openDatabase({ url, poolSize: 2 });
  await sql`CREATE TABLE noted (n bigserial PRIMARY KEY, pid int NOT NULL)`.execute(db.sql);
  const noted = async (): Promise<number[]> => {
    const { rows } = await sql<{ pid: number }>`SELECT pid FROM noted ORDER BY n`.execute(db.sql);
    return rows.map(({ pid }) => pid);
  };
  const started: (() => void)[] = [];
  return {
    db,
    noted,
    async start() {
      const child = fork(HOLDER, [url, way], { execArgv: ['--import', 'tsx'] });
      started.push(() => child.kill('SIGKILL'));
      await once(child, 'message');
      const pid = child.pid ?? 0;
      return { pid, child, works: async (after = 0) => (await noted()).slice(after).includes(pid) };
    },
    async [Symbol.asyncDispose]() {
      for (const kill of started) kill();
      await db.close();
      await dropDatabase(testPostgres(), url);
    },
  };
}

test.concurrent.each([
  'by a statement',
  'in a transaction that is open when its process is stopped',
  'past the store',
])(
  'what one process at a time does (%s) goes on in another when its process is stopped, and then only there',
  async (way) => {
    await using work = await givenWork(way);
    const first = await work.start();
    await until('work of the first', () => first.works());
    const second = await work.start();
    await setTimeout(LATE_MS);
    expect(new Set(await work.noted())).toEqual(new Set([first.pid]));
    expect((await holders(work.db.sql)).sweeper).toContain(`:${first.pid}`);

    first.child.kill('SIGSTOP');
    const stoppedMs = await until('work of the second', () => second.works(), TAKEN_OVER_WITHIN_MS);
    const before = (await work.noted()).indexOf(second.pid);
    first.child.kill('SIGCONT');
    await setTimeout(LATE_MS);
    const after = (await work.noted()).slice(before);
    expect(after.length).toBeGreaterThan(3);
    expect(new Set(after)).toEqual(new Set([second.pid]));

    second.child.kill('SIGKILL');
    await once(second.child, 'exit');
    const { length } = await work.noted();
    const diedMs = await until('work of the first again', () => first.works(length));
    console.log(`${way}: taken over ${stoppedMs} ms after a stop, ${diedMs} ms after a kill`);
  },
);
