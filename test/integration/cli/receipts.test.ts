import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { WireReceipts } from '../../../src/cli/wire.ts';
import { givenPendingAction } from '../../support/fixtures.ts';
import { runInTest, tooLong } from '../../unit/cli/cli-io.ts';
import { answer, givenPeople } from '../approvals/people.ts';
import { type CliHarness, type Run, startCliHarness } from './harness.ts';

let cli: CliHarness;
let [ana, ben, olga]: Run[] = [];

beforeAll(async () => {
  cli = await startCliHarness();
  await givenPeople(cli.services);
  ana = await cli.as('ana', 'approver');
  ben = await cli.as('ben', 'approver');
  olga = await cli.as('olga', 'release-manager', 'auditor');
});
afterAll(() => cli.close());

describe('receipts', () => {
  const offline = (...argv: string[]) => runInTest(['receipt', 'verify', ...argv], { cwd: cli.cwd });
  const write = (file: string, value: unknown) =>
    writeFileSync(join(cli.cwd, file), typeof value === 'string' ? value : JSON.stringify(value));

  test('are got, and verified without service, token or environment', async () => {
    const action = await givenPendingAction(cli.services);
    expect(await (olga as Run)('receipt', 'get', action.id)).toMatchObject({ code: 1 });
    await answer(cli.services, action, 'ana');
    const got = await (olga as Run)('receipt', 'get', action.id, '-o', 'receipt.json');
    expect(got.out).toBe('Written to receipt.json.\n');
    const keys = await runInTest(['receipt', 'key', '-o', 'keys.json', '--url', cli.url], { cwd: cli.cwd });
    expect(keys.code).toBe(0);
    const valid = await offline('receipt.json', '--key', 'keys.json', '--action', action.id);
    expect(valid).toMatchObject({ code: 0 });
    expect(valid.out).toContain('VALID: 1 receipt');
    expect(valid.out).toContain('ana approved');
    expect(valid.out).toContain('Known by');
    expect(valid.flat).toContain('Cancel order R-1');
    expect(tooLong(valid.out)).toEqual([]);
  });

  test('are verified by portcullis-keys.json where no other file is named', async () => {
    const without = await offline('receipt.json');
    expect(without).toMatchObject({ code: 2 });
    expect(without.err).toContain('portcullis receipt key -o portcullis-keys.json');
    write('portcullis-keys.json', readFileSync(join(cli.cwd, 'keys.json'), 'utf8'));
    expect(await offline('receipt.json')).toMatchObject({ code: 0 });
  });

  test('say that the text is erased', async () => {
    const { receipts } = JSON.parse(readFileSync(join(cli.cwd, 'receipt.json'), 'utf8')) as WireReceipts;
    write('erased.json', { receipts: receipts.map(({ jws }) => ({ jws })) });
    const erased = await offline('erased.json', '--key', 'keys.json');
    expect(erased).toMatchObject({ code: 0 });
    expect(erased.flat).toContain('text erased: only its digest is proved');
  });

  test('that were tampered with are not valid, and it says what is wrong', async () => {
    const good = readFileSync(join(cli.cwd, 'receipt.json'), 'utf8');
    const { receipts } = JSON.parse(good) as WireReceipts;
    const [one] = receipts;
    for (const [name, value, words] of [
      ['text', good.replace('Cancel order R-1', 'Cancel order R-7'), 'was signed for another text'],
      [
        'jws',
        { receipts: [{ ...one, jws: `${one?.jws.slice(0, -8)}AAAAAAAA` }] },
        'its signature does not match',
      ],
      ['cut', good.slice(0, 100), 'holds no receipts'],
      ['none', { receipts: [] }, 'holds no receipts'],
      ['key twice', good.replace('"receipts"', '"receipts": [], "receipts"'), 'holds no receipts'],
    ] as const) {
      write('bad.json', value);
      const result = await offline('bad.json', '--key', 'keys.json');
      expect(result, name).toMatchObject({ code: 5 });
      expect(result.flat, name).toContain('NOT VALID');
      expect(result.flat, name).toContain(words);
    }
    const other = await offline(
      'receipt.json',
      '--key',
      'keys.json',
      '--action',
      '00000000-0000-4000-8000-000000000000',
    );
    expect(other).toMatchObject({ code: 5 });
    expect(other.flat).toContain('is about action');
  });

  test('need a key of the right kind', async () => {
    write('oct.json', { keys: [{ kty: 'oct', k: 'c2VjcmV0', kid: 'x' }] });
    expect(await offline('receipt.json', '--key', 'oct.json')).toMatchObject({ code: 2 });
    expect(await offline('receipt.json', '--key', 'missing.json')).toMatchObject({ code: 2 });
  });
});

describe('deputies', () => {
  test('are named by duration or time, listed, and removed', async () => {
    const deputy = (who: Run | undefined, ...argv: string[]) => (who as Run)('deputy', ...argv);
    const added = await deputy(ana, 'add', 'desk', 'dave', '--until', '5d', '--reason', 'On holiday');
    expect(added).toMatchObject({ code: 0 });
    expect(added.out).toMatch(/^dave answers for ana until 2026-01-06/);
    const named = await deputy(
      olga,
      ...['add', 'desk', 'cleo', '--for', 'ben', '--group', 'legal', '--starts', '2026-01-02'],
      ...['--until', '2026-01-03T18:00', '--reason', 'Ill', '--output', 'json'],
    );
    const { id } = named.json<{ id: string }>();
    const list = await deputy(ben, 'list', 'desk');
    expect(list.flat).toContain('cleo for ben in legal: Ill');
    expect(list.flat).toContain('named by olga');
    expect(tooLong(list.out)).toEqual([]);
    expect((await deputy(ben, 'remove', 'desk', id)).out).toContain('cleo no longer answers for ben');
    expect((await deputy(ben, 'list', 'desk')).out).not.toContain(id);
    expect((await deputy(ben, 'list', 'desk', '--ended')).flat).toContain('by ben');
    for (const until of ['tomorrow', '2026-13-01', '40d'])
      expect(await deputy(ana, 'add', 'desk', 'dave', '--until', until, '--reason', 'x')).toMatchObject({
        code: 2,
      });
  });
});
