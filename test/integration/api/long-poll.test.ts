import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeAll, expect, test } from 'vitest';
import { ActionWaiter } from '../../../src/api/action-waiter.ts';
import { createApi } from '../../../src/api/server.ts';
import { answerAction } from '../../../src/approvals/answer.ts';
import { call, givenApi, type TestApi } from '../../support/api.ts';
import { approverActor, givenApprovedAction, givenPendingAction } from '../../support/fixtures.ts';
import { describeWithServices } from '../../support/services.ts';

describeWithServices('long polls', (make) => {
  let api: TestApi;
  const timed = async (path: string) => {
    const startedAt = performance.now();
    const answer = await call(api.app, `GET ${path}`, { as: api.as.agent });
    return { ...answer, ms: performance.now() - startedAt };
  };

  beforeAll(async () => {
    api = await givenApi(make);
  });

  test('an action that is decided answers at once', async () => {
    const { id } = await givenApprovedAction(api.services);
    const { ms, json } = await timed(`/v1/actions/${id}?wait=30s`);
    expect(json.state).toBe('approved');
    expect(ms).toBeLessThan(1_000);
  });

  test('a decision through the API wakes it, one through another process is seen by polling', async () => {
    const first = await givenPendingAction(api.services);
    const woken = timed(`/v1/actions/${first.id}?wait=30s`);
    setTimeout(
      () =>
        call(api.app, `POST /v1/actions/${first.id}/decisions`, {
          as: api.as.ana,
          body: { verdict: 'approve', digest: first.args_digest },
        }),
      50,
    );
    expect(await woken).toMatchObject({ status: 200, json: { state: 'approved' } });

    const second = await givenPendingAction(api.services);
    const polled = timed(`/v1/actions/${second.id}?wait=30s`);
    setTimeout(() => answerAction(api.services, approverActor(), { id: second.id, verdict: 'deny' }), 50);
    const { ms, json } = await polled;
    expect(json.state).toBe('denied');
    expect(ms).toBeLessThan(5_000);
  });

  test('nothing happens: the answer comes when the wait is over', async () => {
    const { id, revision } = await givenPendingAction(api.services);
    const { ms, json } = await timed(`/v1/actions/${id}?wait=300ms&after=${revision}`);
    expect(json.state).toBe('pending');
    expect(ms).toBeGreaterThanOrEqual(290);
    expect((await timed(`/v1/actions/${id}?wait=30s&after=${revision - 1}`)).ms).toBeLessThan(1_000);
  });

  test('close() answers what still waits', async () => {
    const app = await createApi(api.services);
    await app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = app.server.address() as AddressInfo;
    const { id } = await givenPendingAction(api.services);
    const waiting = new Promise<number | undefined>((resolve, reject) => {
      request({ port, path: `/v1/actions/${id}?wait=60s`, headers: api.as.agent.headers }, (response) =>
        response.on('end', () => resolve(response.statusCode)).resume(),
      )
        .on('error', reject)
        .end();
    });
    setTimeout(() => app.close(), 200);
    expect(await waiting).toBe(200);
  });

  test('who comes while it closes does not wait', async () => {
    const { id } = await givenPendingAction(api.services);
    const waiter = new ActionWaiter(api.services);
    waiter.close();
    const started = performance.now();
    await waiter.wait({ id, tokenId: 't', over: () => false }, 30_000, new AbortController().signal);
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});
