import { describe, expect, test, vi } from 'vitest';
import { createPortcullis, Denied, type GuardOptions } from '../../../src/sdk/index.ts';
import { type Answers, approved, begun, ended, pending, startStandIn } from './stand-in.ts';

const ASK = '/v1/actions?begin=true';
const BEGIN = '/v1/actions/a-1/begin';
const COMPLETE = '/v1/actions/a-1/complete';
const call = { subject: 'c-1', idempotencyKey: 'k-1' };
const EDITED = { id: 'R-2', card: '4111-secret' };
const round = (count: number) => ({ approval: { round: count } });

/** Runs a guarded tool against the stand-in. */
async function running(answers: Answers, options: GuardOptions = {}) {
  await using service = await startStandIn(answers);
  const portcullis = createPortcullis({ url: service.url, token: 't', agentVersion: '1' });
  const fn = vi.fn(async (args: Readonly<Record<string, unknown>>) => ({ done: args.id }));
  const run = portcullis.guard('cancel', fn, options);
  const result = await run({ id: 'R-1' }, call).catch((error: unknown) => error);
  return { result, fn, seen: [...service.seen], paths: service.paths() };
}

describe('what people changed while it waited', () => {
  const answers: Answers = ({ path }) => {
    if (path === ASK) return { status: 202, body: { ...pending, ...round(0) } };
    if (path === BEGIN) return { body: { ...begun(), ...round(2), args: EDITED } };
    return { body: path === COMPLETE ? ended('executed') : { ...approved, ...round(2) } };
  };

  test('is what the tool is called with, under its round, and what is reported', async () => {
    const actions: unknown[] = [];
    const { result, fn, seen } = await running(answers, { onAction: (action) => actions.push(action) });
    expect(result).toEqual({ done: 'R-2' });
    expect(fn).toHaveBeenCalledExactlyOnceWith(
      EDITED,
      expect.objectContaining({ actionId: 'a-1', edited: true, credential: expect.anything() }),
    );
    const sent = (path: string) => seen.find((one) => one.path === path)?.body;
    expect(sent(BEGIN)).toEqual({ executionId: expect.any(String), round: 2 });
    expect(sent(COMPLETE)).toMatchObject({ ok: true, result: { done: 'R-2' } });
    expect(actions.at(-1)).toMatchObject({ args: EDITED });
  });

  test('asked for again after a restart: the approved answer is begun by its round', async () => {
    const { result, fn, paths } = await running((seen, times) =>
      seen.path === ASK ? { body: { ...approved, repeated: true, ...round(1) } } : answers(seen, times),
    );
    expect(result).toEqual({ done: 'R-2' });
    expect(fn).toHaveBeenCalledWith(EDITED, expect.objectContaining({ edited: true }));
    expect(paths).toEqual([`POST ${ASK}`, `POST ${BEGIN}`, `POST ${COMPLETE}`]);
  });

  test('changed to nothing at all is called with nothing', async () => {
    const { fn } = await running((seen, times) =>
      seen.path === BEGIN ? { body: { ...begun(), args: {} } } : answers(seen, times),
    );
    expect(fn).toHaveBeenCalledWith({}, expect.objectContaining({ edited: true }));
  });

  test('a failure of the changed call is reported by its code, without the arguments', async () => {
    await using service = await startStandIn(answers);
    const portcullis = createPortcullis({ url: service.url, token: 't', agentVersion: '1' });
    const failing = async (args: unknown) => {
      throw Object.assign(new Error(JSON.stringify(args)), { code: 'no_room' });
    };
    await expect(portcullis.guard('cancel', failing)({ id: 'R-1' }, call)).rejects.toThrow('R-2');
    const reported = service.seen.at(-1)?.body;
    expect(reported).toMatchObject({ ok: false, error: 'no_room' });
    expect(JSON.stringify(reported)).not.toContain('4111-secret');
  });

  test('when the service says the round is another one, nothing is called', async () => {
    const { result, fn } = await running((seen, times) =>
      seen.path === BEGIN
        ? { status: 409, body: { code: 'args_changed', detail: 'x', hint: 'y', details: { round: 3 } } }
        : answers(seen, times),
    );
    expect(result).toMatchObject({ name: 'PortcullisError', code: 'args_changed', details: { round: 3 } });
    expect(fn).not.toHaveBeenCalled();
  });

  test('unchanged, no round is named and the tool is told so', async () => {
    const { fn, seen } = await running((one, times) => {
      if (one.path === BEGIN) return { body: begun() };
      const answer = answers(one, times);
      return one.path.startsWith('/v1/actions/a-1?wait') ? { body: { ...approved, ...round(0) } } : answer;
    });
    expect(seen.find(({ path }) => path === BEGIN)?.body).toEqual({ executionId: expect.any(String) });
    expect(fn).toHaveBeenCalledWith({ id: 'R-1' }, expect.objectContaining({ edited: false }));
  });
});

describe('Denied', () => {
  const deniedAfter = async (body: Record<string, unknown>) => {
    const { result } = await running(({ path }) =>
      path === ASK ? { status: 202, body: pending } : { body: ended(String(body.state), body) },
    );
    expect(result).toBeInstanceOf(Denied);
    return result as Denied;
  };

  test.each<[Record<string, unknown>, string]>([
    [{ state: 'expired' }, 'Expired: nobody decided in time, which is no denial'],
    [{ state: 'expired', decidedBy: 'person' }, 'Expired: it was not begun in time'],
    [{ state: 'denied', decidedBy: 'person', denyReason: 'too dear' }, 'Denied by a person: too dear'],
    [{ state: 'denied', decidedBy: 'person' }, 'Denied by a person'],
    [
      { state: 'superseded', supersededBecause: 'standing_approval_ended' },
      'Superseded (standing_approval_ended): the standing approval it came under was ended',
    ],
  ])('%j says its own words', async (body, message) => {
    const denied = await deniedAfter(body);
    expect(denied.message).toBe(message);
    expect(denied.state).toBe(body.state);
    expect(denied.personReason).toBe(body.denyReason);
  });

  test('an approval that ran out before begin is an expiry too, not a denial', async () => {
    const { result } = await running(({ path }) => {
      if (path === ASK) return { status: 202, body: pending };
      const details = { state: 'expired', because: 'expired' };
      return path === BEGIN
        ? { status: 409, body: { code: 'too_late', detail: 'x', details } }
        : { body: approved };
    });
    expect(result).toMatchObject({
      state: 'expired',
      message: 'Expired: it was not begun in time',
      stopped: false,
    });
  });
});
