import { appendFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeLogPartition } from '../../../src/db/log-partitions.ts';
import { checkChain } from '../../../src/domain/log-chain.ts';
import type { LogVerification } from '../../../src/log/verify.ts';
import { dropOld } from '../../../src/retention/drop.ts';
import { type CliResult, tooLong } from '../../unit/cli/cli-io.ts';
import { type CliHarness, type Run, startCliHarness } from './harness.ts';

const DAY_MS = 86_400_000;
/** The first stretch of the log has so many entries. */
const STRETCH = 9_999;

let cli: CliHarness;
let run: Run;

/** Entries without a body of their own. */
async function given(count: number): Promise<void> {
  await sql`INSERT INTO log_unnumbered (at, kind, body)
    SELECT ${cli.services.clock.now()}, 'test', '{"n":' || n || '}' FROM generate_series(1, ${count}::int) n`.execute(
    cli.services.db.sql,
  );
  await cli.sequence();
}

const keep = async (name: string): Promise<CliResult> => {
  const head = await run('log', 'verify', '--output', 'json');
  writeFileSync(`${cli.cwd}/${name}`, head.out);
  return head;
};

const linesOf = (name: string) =>
  readFileSync(`${cli.cwd}/${name}`, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

/** So long that what was logged before goes. */
async function passRetention(): Promise<void> {
  cli.services.clock.advance(410 * DAY_MS);
  await makeLogPartition(cli.services.db.sql);
  expect((await dropOld(cli.services)).dropped).toContain('log_entry_1');
  await cli.sequence();
  run = await cli.as('aud', 'auditor');
}

beforeAll(async () => {
  cli = await startCliHarness();
  run = cli.run;
  await given(3_000);
});
afterAll(() => cli.close());

test('an export is the log, line by line, and goes on where it ended', async () => {
  const first = await run('log', 'export', '--out', 'log.jsonl');
  expect(first).toMatchObject({ code: 0 });
  expect(statSync(`${cli.cwd}/log.jsonl`).mode & 0o777).toBe(0o600);
  const before = linesOf('log.jsonl');
  expect(checkChain(before)).toMatchObject({ seq: before.length });
  expect(first.flat).toContain(`Exported: ${before.length} entries`);
  expect((await run('log', 'export', '--out', 'log.jsonl')).flat).toContain('Nothing came since');

  // Whoever died over a line wrote half of it.
  appendFileSync(`${cli.cwd}/log.jsonl`, '{"seq":300');
  await given(2_000);
  const more = await run('log', 'export', '--out', 'log.jsonl', '--output', 'json');
  expect(more.json()).toMatchObject({ begins: 1, seq: before.length + 2_000, written: 2_000 });
  const after = linesOf('log.jsonl');
  expect(after.slice(0, before.length)).toEqual(before);
  expect(checkChain(after)).toMatchObject({ seq: before.length + 2_000, hash: more.json().hash });
});

test('a file of something else is not touched', async () => {
  for (const text of [
    'agent: desk',
    'agent: desk\n',
    '{"seq":1}\n',
    '{"seq":1,"hash":"x","body":"{}"}\nhalf',
  ]) {
    writeFileSync(`${cli.cwd}/other.txt`, text);
    expect(await run('log', 'export', '--out', 'other.txt')).toMatchObject({ code: 2 });
    expect(readFileSync(`${cli.cwd}/other.txt`, 'utf8')).toBe(text);
  }
  const [last] = linesOf('log.jsonl').slice(-1);
  writeFileSync(`${cli.cwd}/forged.jsonl`, `${JSON.stringify({ ...last, seq: last.seq - 1 })}\n`);
  const forged = await run('log', 'export', '--out', 'forged.jsonl');
  expect(forged).toMatchObject({ code: 5, err: expect.stringContaining('does not go on') });
  expect(linesOf('forged.jsonl')).toHaveLength(1);
});

test('the service recomputes so many entries at once, and says where it goes on', async () => {
  await given(18_000);
  const { token } = (await run('token', 'create', '--role', 'auditor', '--output', 'json')).json<{
    token: string;
  }>();
  const api = (query: string) =>
    fetch(`${cli.url}/v1/log/verify${query}`, {
      headers: { authorization: `Bearer ${token}` },
    }).then(async (answer) => ({ status: answer.status, body: (await answer.json()) as LogVerification }));
  const first = await api('');
  expect(first.body).toMatchObject({
    verified: true,
    entries: 20_000,
    from: { seq: 0 },
    next: { seq: 20_000, hash: expect.any(String) },
  });
  const { seq, hash } = first.body.next ?? expect.fail('there is no more');
  const rest = await api(`?after=${seq}&hash=${hash}`);
  expect(rest.body).toMatchObject({ verified: true, from: { seq: 20_000 } });
  expect(rest.body.next).toBeUndefined();
  expect(rest.body.entries).toBeGreaterThanOrEqual(23_000);
  const other = await api(`?after=${seq}&hash=${'0'.repeat(64)}`);
  expect(other.body).toMatchObject({ verified: false, fault: { seq: 20_001, fault: 'hash' } });
  for (const query of [`?after=${seq}`, `?hash=${hash}`, '?after=-1', `?after=1&hash=xyz`])
    expect([query, (await api(query)).status]).toEqual([query, 400]);
});

test('verify since a kept head recomputes what came after, and finds it rewritten or cut off', async () => {
  const head = (await keep('head.json')).json<{ seq: number; hash: string }>();
  await given(10);
  const since = await run('log', 'verify', '--since', 'head.json', '--output', 'json');
  expect(since).toMatchObject({ code: 0 });
  const found = since.json<{ seq: number; from: unknown }>();
  expect(found).toMatchObject({ verified: true, from: { seq: head.seq, hash: head.hash } });
  expect(found.seq).toBeGreaterThanOrEqual(head.seq + 10);
  expect((await run('log', 'verify', '--since', 'head.json')).flat).toContain(`entries after #${head.seq}`);
  const as = async (kept: { seq: number; hash: string }) => {
    writeFileSync(`${cli.cwd}/kept.json`, JSON.stringify(kept));
    return (await run('log', 'verify', '--since', 'kept.json', '--output', 'json')).json();
  };
  expect(await as({ ...head, hash: '0'.repeat(64) })).toMatchObject({
    verified: false,
    fault: { seq: head.seq, fault: 'rewritten' },
  });
  expect(await as({ ...head, seq: 999_999 })).toMatchObject({
    verified: false,
    fault: { seq: 999_999, fault: 'cut-off' },
  });
  expect(await run('log', 'verify', '--since', 'head.json', '--against', 'head.json')).toMatchObject({
    code: 2,
  });
});

test('what was sealed is said, its seal is verified, and what was kept from before it cannot be compared', async () => {
  const early = linesOf('log.jsonl')[4_000];
  writeFileSync(`${cli.cwd}/early.json`, JSON.stringify({ seq: early.seq, hash: early.hash }));
  await keep('late.json');
  await passRetention();
  const whole = await run('log', 'verify');
  expect(whole).toMatchObject({ code: 0 });
  expect(whole.flat).toContain(`entries after #${STRETCH}, recomputed`);
  expect(whole.flat).toMatch(new RegExp(`Sealed ${STRETCH} entries, up to #${STRETCH} of 2026-01-01`));
  expect(tooLong(whole.out)).toEqual([]);
  expect(await run('log', 'verify', '--against', 'late.json')).toMatchObject({ code: 0 });
  for (const use of ['--against', '--since']) {
    const old = await run('log', 'verify', use, 'early.json');
    expect(old).toMatchObject({ code: 5 });
    expect(old.flat).toContain(`entry ${early.seq} was kept here and is dropped there`);
  }
  const { rows } = await sql<{ hash: Buffer }>`SELECT hash FROM log_seal`.execute(cli.services.db.sql);
  const seal = { seq: STRETCH, hash: Buffer.from(rows[0]?.hash ?? '').toString('hex') };
  writeFileSync(`${cli.cwd}/seal.json`, JSON.stringify(seal));
  expect(await run('log', 'verify', '--since', 'seal.json')).toMatchObject({ code: 0 });
});

test('a log that was not exported in time is said to have a gap, and one anew begins after the seal', async () => {
  const before = readFileSync(`${cli.cwd}/log.jsonl`, 'utf8');
  const late = await run('log', 'export', '--out', 'log.jsonl');
  expect(late).toMatchObject({ code: 1, err: expect.stringContaining(`to #${STRETCH} were dropped`) });
  expect(readFileSync(`${cli.cwd}/log.jsonl`, 'utf8')).toBe(before);
  expect(existsSync(`${cli.cwd}/new.jsonl`)).toBe(false);
  expect((await run('log', 'export', '--out', 'new.jsonl', '--output', 'json')).json()).toMatchObject({
    begins: STRETCH + 1,
  });
});

test('a seal that another signed does not verify', async () => {
  const { sql: db } = cli.services.db;
  await sql`ALTER TABLE log_seal DISABLE TRIGGER USER`.execute(db);
  await sql`UPDATE log_seal SET signed = replace(signed, '.', '.x')`.execute(db);
  const forged = await run('log', 'verify');
  expect(forged).toMatchObject({ code: 5 });
  expect(forged.flat).toContain('that is not signed by the service');
});
