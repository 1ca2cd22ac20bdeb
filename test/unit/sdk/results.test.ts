import { expect, test, vi } from 'vitest';
import { parseExactJson } from '../../../src/domain/exact-json.ts';
import { createPortcullis } from '../../../src/sdk/index.ts';
import { type Answers, begun, ended, startStandIn } from './stand-in.ts';

const ASK = '/v1/actions?begin=true';
const COMPLETE = '/v1/actions/a-1/complete';
const call = { subject: 'c-1', idempotencyKey: 'k-1' };

/** What the tool's caller gets and what is reported, when the tool returns `result`. */
async function returning(result: unknown, answers?: Answers) {
  await using service = await startStandIn(
    answers ?? (({ path }) => ({ body: path === ASK ? begun() : ended('executed') })),
  );
  const portcullis = createPortcullis({ url: service.url, token: 't', agentVersion: '1' });
  const onReportFailed = vi.fn();
  const run = portcullis.guard('cancel', async () => result, { onReportFailed });
  const returned = await run({}, call);
  const reports = service.seen.filter(({ path }) => path === COMPLETE).map(({ body }) => body);
  return { returned, reports, onReportFailed };
}

const circular: Record<string, unknown> = { id: 'R-1' };
circular.self = circular;
let deep: unknown = 'end';
for (let n = 0; n < 20_000; n++) deep = [deep];
const throwing = {
  get total() {
    throw new Error('no total yet');
  },
};

test.each([
  ['2 MB', { text: 'x'.repeat(2_000_000) }, /2000\d+ bytes .* more than/],
  ['2 MB of text that is longer in UTF-8', { text: '語'.repeat(400_000) }, /1200\d+ bytes/],
  ['an integer beyond 2^53', { balance: 2 ** 53 + 2 }, /\$\.result\.balance/],
  ['a negative one', [-(2 ** 60)], /\$\.result\[0\]/],
  ['a BigInt', { balance: 10n }, /BigInt/],
  ['a circle', circular, /circular/i],
  ['a lone surrogate', { name: 'a\ud800b' }, /\$\.result\.name.*surrogate/i],
  ['a lone surrogate as a name', { 'a\udc00': 1 }, /surrogate/i],
  ['endless nesting', deep, /no JSON form|nest/i],
  ['70 levels', JSON.parse('['.repeat(70) + ']'.repeat(70)), /nest|deep/i],
  ['a getter that throws', throwing, /no total yet/],
])('a tool that did its work and returns %s has executed', async (_, result, note) => {
  const { returned, reports, onReportFailed } = await returning(result);
  expect(returned).toBe(result);
  expect(onReportFailed).not.toHaveBeenCalled();
  expect(reports).toEqual([
    { executionId: expect.any(String), ok: true, result: { omitted: expect.stringMatching(note) } },
  ]);
  expect(parseExactJson(JSON.stringify(reports[0])).ok).toBe(true);
});

test.each([
  ['undefined', undefined, undefined],
  ['a function', () => 1, undefined],
  ['null', null, null],
  ['text', 'done', 'done'],
  ['the largest exact integer', 2 ** 53 - 1, 2 ** 53 - 1],
  ['an object with a function in it', { id: 'R', undo: () => 1 }, { id: 'R' }],
])('%s is reported as JSON has it', async (_, result, recorded) => {
  const { returned, reports } = await returning(result);
  expect(returned).toBe(result);
  expect(reports).toHaveLength(1);
  expect(reports[0]?.ok).toBe(true);
  expect(reports[0]?.result).toEqual(recorded);
});

test.each([
  ['args_not_exact', 400],
  ['body_too_large', 413],
  ['invalid_input', 400],
])('a service that answers %s to the result hears again, without it', async (code, status) => {
  const { reports, onReportFailed } = await returning({ any: 'thing' }, ({ path }, times) => {
    if (path === ASK) return { body: begun() };
    if (times === 1) return { status, body: { code, detail: 'It has a flaw' } };
    return { body: ended('executed') };
  });
  expect(onReportFailed).not.toHaveBeenCalled();
  expect(reports.map(({ ok, result }) => [ok, result])).toEqual([
    [true, { any: 'thing' }],
    [true, { omitted: 'Portcullis does not take the result: It has a flaw' }],
  ]);
});

test('arguments that have no JSON form are the caller’s mistake, not an absence, and are not sent', async () => {
  await using service = await startStandIn(() => ({ body: begun() }));
  const portcullis = createPortcullis({ url: service.url, token: 't', agentVersion: '1' });
  const fn = vi.fn(async () => 1);
  const asked = portcullis.guard('cancel', fn)({ amount: 10n }, call);
  await expect(asked).rejects.toMatchObject({
    code: 'not_json',
    message: expect.stringContaining('BigInt'),
    hint: expect.stringContaining('no BigInt'),
  });
  expect(fn).not.toHaveBeenCalled();
  expect(service.seen).toEqual([]);
});
