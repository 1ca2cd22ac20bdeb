import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findBinaries } from '../../../src/embedded/postgres/binaries.ts';
import { dataArgument } from '../../../src/embedded/postgres/initdb.ts';
import { postgresOwner } from '../../../src/embedded/postgres/owner.ts';
import { isAlive } from '../../../src/embedded/supervised-process.ts';
import { query, startStranger, useStoreFolder } from './support.ts';

const place = useStoreFolder();
const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);
const uidOf = (pid: number) =>
  Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

test('the first start makes a durable store that only its owner may read', async () => {
  const { url, version } = await place.start();
  const rows = await query<{ name: string; setting: string }>(url, 'select name, setting from pg_settings');
  const setting = (name: string) => rows.find((row) => row.name === name)?.setting;
  for (const name of ['fsync', 'synchronous_commit', 'full_page_writes']) expect(setting(name)).toBe('on');
  expect(setting('TimeZone')).toBe('UTC');
  expect(setting('listen_addresses')).toBe('127.0.0.1');
  expect(await query(url, "select datcollate, datctype from pg_database where datname = 'postgres'")).toEqual(
    [{ datcollate: 'C', datctype: 'C' }],
  );
  expect(await query(url, 'show server_version')).toEqual([{ server_version: version }]);
  expect([mode(place.folder), mode(place.data)]).toEqual(['700', '700']);
  for (const file of ['password', 'server.json']) expect(mode(join(place.folder, file))).toBe('600');
  expect(uidOf(place.postmaster())).not.toBe(0);

  const without = new URL(url);
  without.password = 'guessed';
  await expect(query(without.href, 'select 1')).rejects.toThrow('password authentication failed');
});

test('later starts keep the data, the password and the port', async () => {
  const first = await place.start();
  await query(first.url, 'create table kept as select 7 as number');
  await first.stop();
  const startedAt = performance.now();
  const second = await place.start();
  console.info(`a later start took ${Math.round(performance.now() - startedAt)} ms`);
  expect(second.url).toBe(first.url);
  expect(await query(second.url, 'select number from kept')).toEqual([{ number: 7 }]);
});

test('what is answered is on the disk when everything is killed', async () => {
  const first = await place.start();
  await query(first.url, 'create table kept (number int)');
  await query(first.url, 'insert into kept select generate_series(1, 1000)');
  await first.kill();
  const second = await place.start();
  expect(await query(second.url, 'select count(*)::int as count from kept')).toEqual([{ count: 1_000 }]);
});

test('one that ends by itself is started again on the same port', async () => {
  const { url } = await place.start();
  process.kill(place.postmaster(), 'SIGKILL');
  await expect.poll(() => query(url, 'select 1').then(() => 'answers', String)).toBe('answers');
  await expect.poll(place.said).toContain('it answers again');
});

test('a pid file whose number another program has by now does not keep it from starting', async () => {
  const first = await place.start();
  await first.stop();
  const stranger = startStranger();
  try {
    const lines = [stranger.pid, '/proc/self/cwd', 1, first.port, '', '127.0.0.1', '0 0', 'ready'];
    writeFileSync(join(place.data, 'postmaster.pid'), `${lines.join('\n')}\n`);
    const second = await place.start();
    expect(await query(second.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    expect(place.said()).toContain(`process ${stranger.pid}, which is another program`);
    expect(isAlive(stranger.pid ?? 0)).toBe(true);
  } finally {
    stranger.kill('SIGKILL');
  }
});

test('a pid file that was cut short does not keep it from starting', async () => {
  await (await place.start()).stop();
  writeFileSync(join(place.data, 'postmaster.pid'), '');
  expect(await query((await place.start()).url, 'select 1 as one')).toEqual([{ one: 1 }]);
});

test('a Postgres that a killed service left behind is ended, and its data are taken over', async () => {
  const first = await place.start();
  await query(first.url, 'create table kept as select 7 as number');
  await first.stop();
  const gone = spawn('true');
  await once(gone, 'exit');
  writeFileSync(
    join(place.folder, 'server.json'),
    JSON.stringify({ port: first.port, servicePid: gone.pid }),
  );
  const owner = postgresOwner();
  const { postgres } = await findBinaries({ owner, log: () => {} });
  const orphan = spawn(
    postgres,
    ['-D', dataArgument(place.data, owner), '-p', String(first.port), '-c', 'unix_socket_directories='],
    { cwd: place.data, stdio: 'ignore', ...(owner && { uid: owner.uid, gid: owner.gid }) },
  );
  await expect.poll(() => query(first.url, 'select 1').then(() => 'answers', String)).toBe('answers');

  const second = await place.start();
  expect(place.said()).toContain(`process ${orphan.pid} was left by a service that is gone`);
  expect(await query(second.url, 'select number from kept')).toEqual([{ number: 7 }]);
});

test('a port that another program has taken is left to it, and said', async () => {
  const first = await place.start();
  await first.stop();
  const taken = createServer().listen(first.port, '127.0.0.1');
  await once(taken, 'listening');
  try {
    const second = await place.start();
    expect(second.port).not.toBe(first.port);
    expect(place.said()).toContain(
      `port ${first.port} is taken by another program; it listens on ${second.port}`,
    );
    expect(await query(second.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  } finally {
    taken.close();
  }
});

test('a store of another major version is refused, and named', async () => {
  await (await place.start()).stop();
  writeFileSync(join(place.data, 'PG_VERSION'), '14\n');
  await expect(place.start()).rejects.toMatchObject({
    code: 'setup_failed',
    message: expect.stringMatching(/it is of Postgres 14.*brings Postgres 18.*pg_dump.*DATABASE_URL/),
  });
});

test('two starts at the same time on a new folder make one store, and one of them is refused', async () => {
  const results = await Promise.allSettled([place.start(), place.start()]);
  const refused = results.filter((result) => result.status === 'rejected');
  expect(refused).toMatchObject([{ reason: { code: 'data_folder_in_use' } }]);
});
