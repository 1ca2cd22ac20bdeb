import { sql } from 'kysely';
import { beforeEach, expect, test } from 'vitest';
import { applyAgent } from '../../../src/agents/apply.ts';
import { admitCase } from '../../../src/cases/admit.ts';
import { proposeCase } from '../../../src/cases/propose.ts';
import { readCaseValue } from '../../../src/domain/manifest/manifest.ts';
import { startRollout } from '../../../src/rollouts/start.ts';
import { rolloutStatus } from '../../../src/rollouts/status.ts';
import { call, givenApi, type TestApi } from '../../support/api.ts';
import {
  AGENT_YAML,
  actorOf,
  agentFrom,
  givenRelease,
  managerActor,
  RELEASE_2_YAML,
} from '../../support/fixtures.ts';
import { WRITTEN_LOG } from '../../support/log.ts';
import { describeWithServices } from '../../support/services.ts';
import { settleReviews } from '../../support/start.ts';

const YAML = { 'content-type': 'application/yaml' };
const DAY_MS = 86_400_000;

/** A case that is red on release 2 and green on release 1, and its twin. */
function redOnTwo(name: string, more: Record<string, unknown>) {
  const read = readCaseValue({
    case: name,
    agent: 'desk',
    kind: 'ask',
    says: 'A cancellation runs with nobody asked',
    given: { tool: 'cancel', args: { id: 'made-up-1' }, attributes: { tier: 'gold' } },
    ...more,
  });
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.value;
}

interface Coded {
  code: string;
}

describeWithServices('preflight', (make) => {
  let api: TestApi;
  const start = (more: Record<string, unknown> = {}) =>
    call(api.app, 'POST /v1/rollouts', {
      as: api.as.olga,
      body: { agent: 'desk', release: '2', reason: 'ready', ...more },
    });
  const preflight = (path = '', body = RELEASE_2_YAML) =>
    call(api.app, `POST /v1/preflights?agent=desk${path}`, { as: api.as.olga, headers: YAML, body });
  const codes = (json: { blockers?: Coded[]; details?: { blockers: Coded[] } }) =>
    (json.blockers ?? json.details?.blockers ?? []).map(({ code }) => code);

  beforeEach(async () => {
    api = await givenApi(make);
    await givenRelease(api.services, agentFrom(AGENT_YAML), RELEASE_2_YAML);
  });

  // Guard: emptyBlockers() in src/domain/rollout/blockers.ts.
  test('an empty suite is refused; said once why, it starts, and that stands in the log', async () => {
    const refused = await start();
    expect(refused).toMatchObject({ status: 422, json: { code: 'preflight_failed' } });
    expect(codes(refused.json as never)).toEqual(['cases_empty']);
    expect((await preflight()).json).toMatchObject({ ready: false, strength: null });
    const before = await preflight('&noneYet=it+is+new');
    expect(before).toMatchObject({
      status: 200,
      json: { ready: true, blockers: [], replay: { decided: 0 } },
    });
    const { status, json } = await start({ noneYet: 'it is new' });
    expect(status).toBe(201);
    const { rows } = await sql<{ body: string }>`
      SELECT l.body FROM ${WRITTEN_LOG} l WHERE l.kind = 'rollout.started'`.execute(api.services.db.sql);
    expect(rows[0]?.body).toContain('"noneYet":"it is new"');
    expect(codes((await preflight('&noneYet=again')).json as never)).toEqual([
      'rollout_open',
      'none_yet_said_before',
    ]);
    await call(api.app, `POST /v1/rollouts/${json.id}/rollback`, { as: api.as.olga, body: { reason: 'x' } });
    await settleReviews(api.services, 'desk');
    const again = await start({ noneYet: 'again' });
    expect(codes(again.json as never)).toEqual(['none_yet_said_before']);
  });

  // Guard: overdueBlockers() in blockersOf().
  test('an overdue committed high follow-up is refused until it is done or waived, and again when that has ended', async () => {
    const { services } = api;
    const now = services.clock.now();
    await services.db.sql
      .insertInto('follow_up')
      .values({
        id: 'fu-1',
        agent: 'desk',
        sentence: 'Limit refunds',
        owner: 'ana',
        due_at: new Date(now.getTime() - DAY_MS),
        severity: 'high',
        done: JSON.stringify({ kind: 'link' }),
        state: 'committed',
        proposed_at: now,
        proposed_by: 'ana',
      } as never)
      .execute();
    const blocked = async () => codes((await preflight('&noneYet=it+is+new')).json as never);
    expect(await blocked()).toEqual(['follow_up_overdue']);
    const waive = (until: Date) =>
      services.db.sql
        .updateTable('follow_up')
        .set({ waiver: JSON.stringify({ person: 'olga', reason: 'x', until: until.toISOString() }) } as never)
        .execute();
    await waive(new Date(now.getTime() + DAY_MS));
    expect(await blocked()).toEqual([]);
    services.clock.advance(2 * DAY_MS);
    expect(await blocked()).toEqual(['follow_up_overdue']);
  });

  // Guard: businessBlockers() in blockersOf().
  test('a guardrail whose metric stands for no business metric is refused', async () => {
    const yaml = AGENT_YAML.replace(/business: [^,}\n]+/, 'business: " "');
    expect(yaml).not.toBe(AGENT_YAML);
    await applyAgent(api.services, managerActor(), agentFrom(yaml));
    const answer = await start({ noneYet: 'it is new' });
    expect(codes(answer.json as never)).toEqual(['business_missing']);
  });

  test('a waiver ends, names a case that fails, and is shown in every status until then', async () => {
    const { services } = api;
    const now = services.clock.now();
    const waived = (until: Date) => ({
      noneYet: 'new',
      waivers: [{ case: 'a', reason: 'looked at', until: until.toISOString() }],
    });
    expect(await start(waived(new Date(now.getTime() + 91 * DAY_MS)))).toMatchObject({ status: 400 });
    const nothing = await start(waived(new Date(now.getTime() + DAY_MS)));
    expect(codes(nothing.json as never)).toEqual(['waiver_of_nothing']);
    const { id } = await startRollout(services, managerActor(), {
      agent: 'desk',
      release: '2',
      reason: 'ready',
      noneYet: 'new',
    });
    await services.db.sql
      .insertInto('case_waiver')
      .values({
        agent: 'desk',
        case_name: 'a',
        until: new Date(now.getTime() + DAY_MS),
        person: 'max',
        reason: 'looked at',
        at: now,
        rollout_id: id,
      })
      .execute();
    expect((await rolloutStatus(services, id)).waivers).toMatchObject([{ case: 'a', person: 'max' }]);
    services.clock.advance(DAY_MS);
    expect((await rolloutStatus(services, id)).waivers).toEqual([]);
  });

  // Guard: the `until` of liveWaivers() in src/rollouts/suite-gate.ts; cases_red in suiteBlockers().
  test('a red case is refused, starts on a waiver while it lasts, and is refused again when that has ended', async () => {
    const { services } = api;
    const mia = actorOf('release-manager', { person: 'mia' });
    const floor = redOnTwo('unasked', { expect: { atLeast: 'ask:1' }, twins: ['possible'] });
    await proposeCase(services, mia, floor);
    await proposeCase(services, mia, redOnTwo('possible', { expect: { atMost: 'ask:1' } }));
    await admitCase(services, mia, { agent: 'desk', name: 'unasked', redOn: '2', greenOn: '1' });
    expect((await preflight()).json).toMatchObject({ ready: false, suite: { red: [{ case: 'unasked' }] } });
    const refused = await start();
    expect([refused.status, codes(refused.json as never)]).toEqual([422, ['cases_red']]);
    const none = await start({ noneYet: 'it is new' });
    expect(codes(none.json as never)).toEqual(['cases_red', 'none_yet_not_true']);

    const until = new Date(services.clock.now().getTime() + DAY_MS).toISOString();
    const waivers = [{ case: 'unasked', reason: 'the desk looks at each', until }];
    const takeBack = async (id: unknown) => {
      const body = { reason: 'x' };
      await call(api.app, `POST /v1/rollouts/${id}/rollback`, { as: api.as.olga, body });
      await settleReviews(services, 'desk');
    };
    const waived = await start({ waivers });
    expect(waived.status).toBe(201);
    const told = { case: 'unasked', person: 'olga', reason: 'the desk looks at each' };
    expect((await rolloutStatus(services, String(waived.json.id))).waivers).toMatchObject([told]);
    await takeBack(waived.json.id);
    // It lasts for the next start too, and what it waives is still said to be red.
    expect((await preflight()).json).toMatchObject({
      ready: true,
      suite: { red: [{ case: 'unasked' }] },
      waivers: [told],
    });
    services.clock.advance(DAY_MS);
    const again = await start();
    expect([again.status, codes(again.json as never)]).toEqual([422, ['cases_red']]);
  });
});
