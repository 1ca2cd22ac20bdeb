import { describe, expect, test, vi } from 'vitest';
import { createPortcullis, Denied, isStop, type Portcullis, TooLate } from '../../../src/sdk/index.ts';
import { type Answers, approved, begun, ended, pending, startStandIn } from './stand-in.ts';

const ASK = '/v1/actions?begin=true';
const BEGIN = '/v1/actions/a-1/begin';
const COMPLETE = '/v1/actions/a-1/complete';
const WAIT = '/v1/actions/a-1?wait=30s';
const call = { subject: 'c-1', idempotencyKey: 'k-1' };

async function serving(
  answers: Answers,
  work: (
    portcullis: Portcullis,
    paths: () => string[],
    seen: Awaited<ReturnType<typeof startStandIn>>['seen'],
  ) => Promise<void>,
) {
  await using service = await startStandIn(answers);
  await work(
    createPortcullis({ url: service.url, token: 't', agentVersion: '1' }),
    service.paths,
    service.seen,
  );
}

const cancel = (portcullis: Portcullis, fn = vi.fn(async () => ({ done: true })), options = {}) => ({
  fn,
  run: portcullis.guard('cancel', fn, options),
});

describe('guard()', () => {
  test('an allowed write begins in the same round trip and is reported', () =>
    serving(
      ({ path }) => ({ body: path === ASK ? begun() : ended('executed') }),
      async (portcullis, paths, seen) => {
        const { fn, run } = cancel(portcullis);
        expect(await run({ id: 'R' }, call)).toEqual({ done: true });
        expect(paths()).toEqual([`POST ${ASK}`, `POST ${COMPLETE}`]);
        expect(fn).toHaveBeenCalledWith(
          { id: 'R' },
          expect.objectContaining({ actionId: 'a-1', credential: expect.objectContaining({ token: 'jwt' }) }),
        );
        expect(seen[0]?.body).toMatchObject({
          tool: 'cancel',
          args: { id: 'R' },
          subject: 'c-1',
          agentVersion: '1',
        });
        expect(seen[1]?.body).toMatchObject({
          ok: true,
          result: { done: true },
          executionId: seen[0]?.body.executionId,
        });
      },
    ));

  test('a pending write waits for people, then begins with the same executionId', () =>
    serving(
      ({ path }, times) => {
        if (path === ASK) return { status: 202, body: pending };
        if (path === WAIT) return { body: times === 1 ? pending : approved };
        return { body: path === BEGIN ? begun() : ended('executed') };
      },
      async (portcullis, paths, seen) => {
        await cancel(portcullis).run({ id: 'R' }, call);
        expect(paths()).toEqual([
          `POST ${ASK}`,
          `GET ${WAIT}`,
          `GET ${WAIT}`,
          `POST ${BEGIN}`,
          `POST ${COMPLETE}`,
        ]);
        expect(new Set(seen.flatMap(({ body }) => (body.executionId ? [body.executionId] : []))).size).toBe(
          1,
        );
      },
    ));

  test('a read runs without begin and without a report', () =>
    serving(
      () => ({ body: { ...approved, kind: 'read' } }),
      async (portcullis, paths) => {
        expect(await cancel(portcullis).run({ id: 'R' }, call)).toEqual({ done: true });
        expect(paths()).toEqual([`POST ${ASK}`]);
      },
    ));

  test('a failure is reported by its code and thrown on; its message stays here', () =>
    serving(
      ({ path }) => ({ body: path === ASK ? begun() : ended('failed') }),
      async (portcullis, _, seen) => {
        const failing = vi.fn(async () =>
          Promise.reject(Object.assign(new Error('of Mia Li'), { code: 'not_found' })),
        );
        await expect(portcullis.guard('cancel', failing)({}, call)).rejects.toThrow('of Mia Li');
        expect(seen[1]?.body).toMatchObject({ ok: false, error: 'not_found' });
        expect(JSON.stringify(seen[1])).not.toContain('Mia');
      },
    ));

  test('what may have landed is not reported as failed', () =>
    serving(
      () => ({ body: begun() }),
      async (portcullis, paths) => {
        const lost = vi.fn(async () => Promise.reject(new Error('connection lost')));
        await expect(portcullis.guard('cancel', lost, { uncertain: () => true })({}, call)).rejects.toThrow(
          'lost',
        );
        expect(paths()).toEqual([`POST ${ASK}`]);
      },
    ));

  test.each([
    ['denied', { decidedBy: 'person', denyReason: 'too dear' }, 'Denied by a person: too dear', false],
    [
      'denied',
      { decidedBy: 'policy', reasons: [{ code: 'no_grant', message: 'no grant' }] },
      'Denied by policy: no grant',
      false,
    ],
    [
      'denied',
      { decidedBy: 'policy', reasons: [{ code: 'switched_off', message: 'off' }] },
      'Denied by policy: off',
      true,
    ],
    ['expired', {}, 'Expired', false],
    ['withdrawn', {}, 'Withdrawn', false],
    ['superseded', { supersededBecause: 'rolled_back' }, 'Superseded (rolled_back)', true],
    ['disabled', {}, 'Disabled', true],
  ] as const)('%s %j stays what it is', (state, more, message, stop) =>
    serving(
      ({ path }) => (path === ASK ? { status: 202, body: pending } : { body: ended(state, more) }),
      async (portcullis) => {
        const { fn, run } = cancel(portcullis);
        const error = await run({ id: 'R' }, call).catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(Denied);
        expect(error).toMatchObject({ state, actionId: 'a-1', message: expect.stringContaining(message) });
        expect(isStop(error)).toBe(stop);
        expect(fn).not.toHaveBeenCalled();
      },
    ),
  );

  test('a denial by policy is the 403 of the question itself', () =>
    serving(
      () => ({
        status: 403,
        body: ended('denied', { decidedBy: 'policy', reasons: [{ code: 'no_grant', message: 'no' }] }),
      }),
      async (portcullis) => {
        await expect(cancel(portcullis).run({}, call)).rejects.toMatchObject({
          state: 'denied',
          decidedBy: 'policy',
        });
      },
    ));

  test('a stop between approval and begin is Denied with the state it ended in', () =>
    serving(
      ({ path }) =>
        path === ASK
          ? { status: 202, body: pending }
          : path === WAIT
            ? { body: approved }
            : {
                status: 409,
                body: {
                  code: 'stopped',
                  detail: 'x',
                  details: { state: 'superseded', because: 'rolled_back' },
                },
              },
      async (portcullis) => {
        const { fn, run } = cancel(portcullis);
        await expect(run({}, call)).rejects.toMatchObject({ state: 'superseded', because: 'rolled_back' });
        expect(fn).not.toHaveBeenCalled();
      },
    ));
});

describe('guard() on time', () => {
  test('does not call the tool when startBy is over by the wall clock', () =>
    serving(
      ({ path }) => ({ body: path === ASK ? begun({ agoMs: 6_000 }) : ended('failed') }),
      async (portcullis, _, seen) => {
        const { fn, run } = cancel(portcullis);
        await expect(run({}, call)).rejects.toBeInstanceOf(TooLate);
        expect(fn).not.toHaveBeenCalled();
        expect(seen[1]?.body).toMatchObject({ ok: false, error: 'too_late_to_start' });
      },
    ));

  test('does not call the tool when the time allowed is over by the monotonic clock', () =>
    serving(
      async ({ path }) => {
        if (path !== ASK) return { body: ended('failed') };
        await new Promise((resolve) => setTimeout(resolve, 150));
        // The service's clock is ahead: by the wall clock there is time left.
        return { body: begun({ allowedMs: 100, agoMs: -60_000 }) };
      },
      async (portcullis) => {
        const { fn, run } = cancel(portcullis);
        await expect(run({}, call)).rejects.toBeInstanceOf(TooLate);
        expect(fn).not.toHaveBeenCalled();
      },
    ));

  test('an abort while people are asked takes the question back', () => {
    const abort = new AbortController();
    return serving(
      async ({ path }) => {
        if (path === WAIT) {
          abort.abort();
          await new Promise((resolve) => setTimeout(resolve, 2_000));
        }
        return { body: path === ASK ? pending : ended('withdrawn') };
      },
      async (portcullis, paths) => {
        const run = cancel(portcullis).run({}, { ...call, signal: abort.signal });
        await expect(run).rejects.toThrow();
        expect(paths().at(-1)).toBe('POST /v1/actions/a-1/withdraw');
      },
    );
  });
});

describe('retries', () => {
  test('a lost answer is asked for again with the same key and execution', () =>
    serving(
      ({ path }, times) =>
        path === ASK ? { body: begun(), drop: times === 1 } : { body: ended('executed') },
      async (portcullis, _, seen) => {
        await cancel(portcullis).run({}, call);
        expect(seen[1]?.body).toEqual(seen[0]?.body);
      },
    ));

  test.each(['store_down', 'store_slow'])('%s is repeated; a refusal is not', (code) =>
    serving(
      (_, times) =>
        times === 1
          ? { status: 503, body: { code, detail: 'away' } }
          : { status: 409, body: { code: 'idempotency_conflict', detail: 'other arguments' } },
      async (portcullis, paths) => {
        await expect(cancel(portcullis).run({}, call)).rejects.toMatchObject({
          code: 'idempotency_conflict',
          status: 409,
        });
        expect(paths()).toHaveLength(2);
      },
    ),
  );

  test('a report that fails does not lose the result of a write that was done', () =>
    serving(
      ({ path }) =>
        path === ASK ? { body: begun() } : { status: 409, body: { code: 'wrong_state', detail: 'no' } },
      async (portcullis) => {
        const onReportFailed = vi.fn();
        expect(await cancel(portcullis, undefined, { onReportFailed }).run({}, call)).toEqual({ done: true });
        expect(onReportFailed).toHaveBeenCalledWith(expect.objectContaining({ code: 'wrong_state' }), 'a-1');
      },
    ));

  test('outcome() sends one or many', () =>
    serving(
      () => ({ body: { recorded: 1, repeated: 0 } }),
      async (portcullis, _, seen) => {
        await portcullis.outcome({ id: 'o', action: 'a-1', metric: 'm', value: 1 });
        expect(seen[0]?.body).toEqual({ outcomes: [{ id: 'o', action: 'a-1', metric: 'm', value: 1 }] });
      },
    ));
});
