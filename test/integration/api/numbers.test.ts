import { expect, test } from 'vitest';
import { createApi } from '../../../src/api/server.ts';
import { call } from '../../support/api.ts';
import { givenAdopted, givenApprovedAction, givenPendingAction, givenToken } from '../../support/fixtures.ts';
import { describeWithServices } from '../../support/services.ts';

/** What no row of the store can have: one more than its integers go to, and the last that is exact. */
const OUTSIDE = [2_147_483_648, Number.MAX_SAFE_INTEGER];

describeWithServices('numbers of requests', (make) => {
  test('beyond what the store counts to are the caller’s error, wherever they stand', async () => {
    const services = await make();
    await givenAdopted(services);
    const [agent, ana] = [
      await givenToken(services, 'agent', { agent: 'desk', attributes: { tier: 'gold' } }),
      await givenToken(services, 'approver', { person: 'ana' }),
    ];
    const [approved, pending] = [await givenApprovedAction(services), await givenPendingAction(services)];
    const app = await createApi(services);
    const digest = pending.args_digest;
    for (const n of OUTSIDE) {
      const answers = [
        await call(app, `POST /v1/actions/${approved.id}/begin`, {
          as: agent,
          body: { executionId: 'e-1', round: n },
        }),
        await call(app, `POST /v1/actions/${pending.id}/decisions`, {
          as: ana,
          body: { verdict: 'approve', digest, revision: n },
        }),
        await call(app, `POST /v1/actions/${pending.id}/edits`, {
          as: ana,
          body: { args: { id: 'R-2' }, digest, revision: n },
        }),
        await call(app, `GET /v1/actions/${pending.id}?wait=1s&after=${n}`, { as: agent }),
      ];
      expect(answers.map(({ status, json }) => `${status} ${json.code}`)).toEqual(
        Array(answers.length).fill('400 invalid_input'),
      );
    }
    await app.close();
  });
});
