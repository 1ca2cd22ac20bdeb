import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { beginAction } from '../../../src/actions/begin.ts';
import { completeAction } from '../../../src/actions/complete.ts';
import { createApi } from '../../../src/api/server.ts';
import { answerAction } from '../../../src/approvals/answer.ts';
import { createDeputy } from '../../../src/approvals/deputies.ts';
import { ManualClock } from '../../../src/clock.ts';
import { type EmbeddedPostgres, startPostgres } from '../../../src/embedded/postgres/server.ts';
import { FAST } from '../../../src/embedded/postgres/settings.ts';
import { sequenceLog } from '../../../src/log/sequence.ts';
import { verifyLog } from '../../../src/log/verify.ts';
import { type ActionRow, actionById } from '../../../src/records/action.ts';
import { readEpoch } from '../../../src/records/gate.ts';
import { rolloutFacts } from '../../../src/rollouts/facts.ts';
import { enterStep } from '../../../src/rollouts/moves.ts';
import { runRolloutVerb } from '../../../src/rollouts/verbs.ts';
import { disable } from '../../../src/switches/disable.ts';
import { enable } from '../../../src/switches/enable.ts';
import type { Recovered } from '../../../src/switches/recover.ts';
import { verifies } from '../../requirements.ts';
import { askBody, call } from '../../support/api.ts';
import {
  agentActor,
  approverActor,
  type GivenToken,
  givenAdopted,
  givenApprovedAction,
  givenPendingAction,
  givenRelease,
  givenToken,
  managerActor,
  onCallActor,
  RELEASE_2_YAML,
} from '../../support/fixtures.ts';
import { createStore, servicesAt, type TestServices } from '../../support/services.ts';
import { startRollout } from '../../support/start.ts';
import { runInTest } from '../../unit/cli/cli-io.ts';
import { givenAutonomy } from '../approvals/given-autonomy.ts';

const run = promisify(execFile);
const log = () => {};
const begin = (services: TestServices, { id }: { id: string }) =>
  beginAction(services, agentActor(), { id, executionId: 'e-1' });

let root: string;
let server: EmbeddedPostgres;
let url: string;
let services: TestServices;
/** As the backup has them. */
let approved: ActionRow;
let pending: ActionRow;
let executing: ActionRow;
let rolloutId: string;
let agentToken: GivenToken;
/** Of the lost store alone. */
let approvedSince: ActionRow;
let tokenSince: GivenToken;
let lastEpoch: number;
let planned: Awaited<ReturnType<typeof plan>>;

const open = async () => {
  services = await servicesAt(url, { clock: new ManualClock(new Date()) });
};
const plan = async () => ({ id: rolloutId, ...(await rolloutFacts(services, rolloutId)) });
const expose = (exposure: number) =>
  services.db.sql
    .updateTable('rollout_segment')
    .set({ exposure, state: 'exposed' })
    .where('rollout_id', '=', rolloutId)
    .execute();

async function givenWork(): Promise<void> {
  const { agent } = await givenAdopted(services);
  approved = await givenApprovedAction(services);
  pending = await givenPendingAction(services);
  executing = await givenApprovedAction(services);
  await begin(services, executing);
  agentToken = await givenToken(services, 'agent', { agent: 'desk', attributes: { tier: 'gold' } });
  const deputy = { agent: 'desk', to: 'ben', endsAt: new Date(services.clock.now().getTime() + 86_400_000) };
  await createDeputy(services, approverActor('ana'), { ...deputy, reason: 'away' });
  await givenAutonomy(services, 'allow', {
    agent: 'desk',
    release: '1',
    grant: 'cancel-1',
    tool: 'cancel',
    segment: 'default',
    agentVersion: '9',
  });
  await givenRelease(services, agent, RELEASE_2_YAML);
  ({ id: rolloutId } = await startRollout(services, managerActor(), {
    agent: 'desk',
    release: '2',
    reason: 'try',
  }));
  await expose(1);
}

/** What the backup knows nothing of. */
async function goOn(): Promise<void> {
  await begin(services, approved);
  await completeAction(services, agentActor(), { id: approved.id, executionId: 'e-1', ok: true });
  await answerAction(services, approverActor(), { id: pending.id, verdict: 'approve' });
  approvedSince = await givenApprovedAction(services);
  tokenSince = await givenToken(services, 'agent', { agent: 'desk' });
  planned = await plan();
  await runRolloutVerb(services, onCallActor(), {
    id: rolloutId,
    verb: 'rollback',
    segment: 'gold',
    reason: 'x',
  });
  for (let round = 0; round < 3; round++) {
    await disable(services, onCallActor(), { scope: 'tool/desk/refund', reason: 'x' });
    await enable(services, onCallActor(), { scope: 'tool/desk/refund', reason: 'x' });
  }
  lastEpoch = await readEpoch(services.db.sql);
}

const recover = (...more: string[]) =>
  runInTest(['recover', '--reason', 'restored from the backup', ...more], { env: { DATABASE_URL: url } });

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'portcullis-recover-'));
  const [lost, copy] = [join(root, 'lost'), join(root, 'copy')];
  server = await startPostgres({ folder: lost, log, settings: FAST });
  url = await createStore(server);
  await open();
  await givenWork();
  await services.close();
  await server.stop();
  await run('cp', ['-a', lost, copy]);
  await server.restart();
  await open();
  await goOn();
  await services.close();
  await server.stop();
  await rm(lost, { recursive: true });
  server = await startPostgres({ folder: copy, log, settings: FAST });
  url = server.url.replace(/\/postgres$/, new URL(url).pathname);
  await open();
}, 180_000);
afterAll(async () => {
  await services?.close();
  await server?.stop();
  await rm(root, { recursive: true, force: true });
});

describe('a store restored from a backup', () => {
  test('without recovering it would begin a second time what the lost store did', async () => {
    // Why recover is the first thing to do; what is looked at is not begun.
    expect((await actionById(services.db.sql, approved.id)).state).toBe('approved');
    expect(await readEpoch(services.db.sql)).toBeLessThan(lastEpoch);
    await expect(actionById(services.db.sql, approvedSince.id)).rejects.toMatchObject({ code: 'not_found' });
  });

  test('recover asks first, and says what it took back', async () => {
    expect(await recover()).toMatchObject({ code: 2, err: expect.stringContaining('Add --yes') });
    const { code, json } = await recover('--yes', '--output', 'json');
    expect(code).toBe(0);
    const recovered = json() as unknown as Recovered;
    expect(recovered.epoch).toBeGreaterThan(lastEpoch + 900_000_000);
    expect(recovered).toMatchObject({
      voided: 2,
      deputiesEnded: 1,
      tokensRevoked: 1,
      segments: [{ rollout: rolloutId, segment: 'default', exposureBefore: 1 }, { segment: 'gold' }],
      inForce: [
        { agent: 'desk', segment: 'default', release: '1' },
        { agent: 'desk', segment: 'gold', release: '1' },
      ],
    });
  });

  verifies(
    'never:write-after-stop',
    'nothing that was asked before it begins, also not when everything is enabled again',
    async () => {
      const app = await createApi(services);
      const as = await givenToken(services, 'agent', { agent: 'desk', attributes: { tier: 'gold' } });
      const attempt = (id: string, token: Pick<GivenToken, 'headers'>) =>
        call(app, `POST /v1/actions/${id}/begin`, { as: token, body: { executionId: 'e-1' } });
      const refused = async () => {
        for (const token of [agentToken, tokenSince])
          expect((await attempt(approved.id, token)).status).toBe(401);
        for (const { id } of [approved, pending]) expect((await attempt(id, as)).status).toBe(409);
        expect((await attempt(approvedSince.id, as)).status).toBe(404);
        const answer = answerAction(services, approverActor('ben'), { id: pending.id, verdict: 'approve' });
        await expect(answer).rejects.toMatchObject({ code: 'not_pending' });
      };
      await refused();
      // Where the write of the execution that was under way stands is told all the same.
      const report = { as, body: { executionId: 'e-1', ok: true } };
      expect((await call(app, `POST /v1/actions/${executing.id}/complete`, report)).json.state).toBe(
        'executed',
      );
      const ask = (tool: string) => call(app, 'POST /v1/actions', { as, body: askBody({ tool, args: {} }) });
      expect((await ask('lookup')).status).toBe(403);
      const first = await enable(services, onCallActor('cleo'), { scope: 'everything', reason: 'looked at' });
      expect(first.status).toBe('second_person_needed');
      await enable(services, onCallActor('ben'), { scope: 'everything', reason: 'looked at' });
      await refused();
      expect((await ask('lookup')).status).toBe(200);
      const again = await givenApprovedAction(services);
      expect((await attempt(again.id, as)).status).toBe(200);
      await app.close();
    },
  );

  verifies(
    'never:rolled-back-reopened',
    'what was rolled back since stays closed: no workflow of the lost store opens it',
    async () => {
      const facts = await rolloutFacts(services, rolloutId);
      expect(facts.segments.map(({ state, exposure }) => ({ state, exposure }))).toEqual([
        { state: 'rolled_back', exposure: 0 },
        { state: 'rolled_back', exposure: 0 },
      ]);
      const row = await services.db.sql
        .selectFrom('rollout')
        .select(['status', 'revision'])
        .executeTakeFirstOrThrow();
      expect(row.status).toBe('paused');
      // As people give it back: with the numbers that the lost store had planned from, were they not jumped over.
      await services.db.sql.updateTable('rollout').set({ status: 'running' }).execute();
      await expose(1);
      expect(row.revision).toBeGreaterThan(planned.revision + 900_000);
      const { segments } = await plan();
      expect(await enterStep(services, { ...planned, segments }, 1)).toBe(false);
    },
  );

  test('what was earned is asked again, and deputies are over', async () => {
    const autonomy = await services.db.sql.selectFrom('autonomy').select(['state']).execute();
    expect(autonomy).toEqual([{ state: 'ask' }]);
    const live = services.db.sql.selectFrom('deputy').selectAll().where('revoked_at', 'is', null);
    expect(await live.execute()).toEqual([]);
  });

  test('the log says so, and verifies', async () => {
    await sequenceLog(services.db.sql);
    expect(await verifyLog(services.db.sql)).toMatchObject({ verified: true });
    const entry = services.db.sql
      .selectFrom('log_entry')
      .select('body')
      .where('kind', '=', 'store.recovered');
    expect(JSON.parse((await entry.executeTakeFirstOrThrow()).body)).toMatchObject({
      actor: 'cli ana',
      data: { reason: 'restored from the backup', epochBefore: expect.any(Number) },
    });
  });

  test('it may be repeated, and keeps tokens where none was revoked since', async () => {
    const before = await readEpoch(services.db.sql);
    const kept = await givenToken(services, 'auditor');
    const { code, flat } = await recover('--yes', '--keep-tokens');
    expect(code).toBe(0);
    expect(flat).toMatch(/^RECOVERED: everything is off, reads too\./);
    expect(flat).toContain('Tokens none revoked');
    expect(flat).toContain('portcullis enable everything');
    expect(await readEpoch(services.db.sql)).toBeGreaterThan(before + 900_000_000);
    const row = services.db.sql.selectFrom('token').select('revoked_at').where('id', '=', kept.id);
    expect(await row.executeTakeFirst()).toEqual({ revoked_at: null });
  });
});

describe('a restored data folder', () => {
  test('is recovered before any service runs on it', async () => {
    const folder = await mkdtemp(join(root, 'embedded-'));
    const env = { PORTCULLIS_DATA: folder };
    const absent = await runInTest(['recover', '--reason', 'x', '--yes'], { env });
    expect(absent).toMatchObject({
      code: 2,
      err: expect.stringContaining('no store lies in the data folder'),
    });
    await (await startPostgres({ folder: join(folder, 'postgres'), log, settings: FAST })).stop();
    const recovered = await runInTest(['recover', '--reason', 'x', '--yes', '--output', 'json'], { env });
    expect(recovered).toMatchObject({ code: 0 });
    expect(recovered.json()).toMatchObject({ epoch: 1_000_000_000, inForce: [] });
  });
});
