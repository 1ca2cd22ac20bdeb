import { chmodSync, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkTemporal, pollersCheck } from '../../../src/cli/doctor/temporal.ts';
import { QUEUES } from '../../../src/domain/queues.ts';
import { freePort } from '../../../src/embedded/supervised-process.ts';
import { sourcesDigest, workflowBundle } from '../../../src/temporal/bundle.ts';
import { type FakeSlack, startFakeSlack } from '../../fakes/slack/server.ts';
import { startOwnTemporal } from '../../support/own-temporal.ts';
import { runInTest, tooLong } from '../../unit/cli/cli-io.ts';

let slack: FakeSlack;
let cwd: string;

beforeAll(async () => {
  slack = await startFakeSlack();
  cwd = mkdtempSync(join(tmpdir(), 'portcullis-cli-'));
});
afterAll(() => slack.stop());

test('names what is wrong and how to mend it, with the service down', async () => {
  const closed = await freePort();
  mkdirSync(join(cwd, 'data'));
  chmodSync(join(cwd, 'data'), 0o755);
  const env = {
    PORTCULLIS_URL: `http://127.0.0.1:${closed}`,
    PORTCULLIS_DATA: 'data',
    PORTCULLIS_DAY: '2s',
    TEMPORAL_ADDRESS: `127.0.0.1:${closed}`,
    SLACK_API_URL: slack.url,
    SLACK_BOT_TOKEN: slack.tokens.bot,
    SLACK_APP_TOKEN: 'xapp-wrong',
  };
  const { code, out } = await runInTest(['doctor'], { cwd, env });
  expect(code).toBe(1);
  expect(out).toMatch(/^warn {2}data folder: .*data is open to other\s+accounts/m);
  expect(out).toMatch(/^warn {2}day: PORTCULLIS_DAY is 2 s/m);
  expect(out).toMatch(/^fail {2}service: Portcullis does not answer/m);
  expect(out).toMatch(/^fail {2}Temporal: 127\.0\.0\.1/m);
  expect(out).toMatch(/^ok {4}Slack bot token: accepted/m);
  expect(out).toMatch(/^fail {2}Slack app token: Slack answered apps\.connections\.open with invalid_auth/m);
  expect(out).toContain('-> Set SLACK_APP_TOKEN');
  expect(out).not.toContain('xapp-wrong');
  expect(tooLong(out)).toEqual([]);
});

test('wrong variables and a database that is away are failures; JSON holds the same', async () => {
  const wrong = await runInTest(['doctor', '--output', 'json'], {
    cwd,
    env: { PORTCULLIS_PORT: 'x', DATABASE_URL: 'y' },
  });
  expect(wrong).toMatchObject({ code: 1 });
  const { checks } = wrong.json<{ checks: { name: string; state: string; detail: string }[] }>();
  expect(checks.find(({ name }) => name === 'config')).toMatchObject({
    state: 'fail',
    detail: expect.stringMatching(/DATABASE_URL[\s\S]*PORTCULLIS_PORT/),
  });
  const away = { DATABASE_URL: `postgres://a:secret@127.0.0.1:${await freePort()}/gone` };
  const { code, out } = await runInTest(['doctor'], { cwd, env: away });
  expect(code).toBe(1);
  expect(out).toMatch(/^fail {2}database: 127\.0\.0\.1:\d+\/gone does not answer/m);
  expect(out).not.toContain('secret');
});

test('Temporal: a missing namespace; workers of another build do not count, one of this build does', async () => {
  // Of its own: who else runs here has workers of this build.
  const temporal = await startOwnTemporal();
  const { address } = temporal.server;
  const namespace = 'default';
  expect(await checkTemporal({ address, namespace: 'no-such' })).toMatchObject([{ state: 'fail' }]);
  const connection = await NativeConnection.connect({ address });
  const { code } = await workflowBundle();
  const working = async (buildId: string, queues: string[], then: () => Promise<void>) => {
    const workers = await Promise.all(
      queues.map((taskQueue) =>
        Worker.create({
          connection,
          namespace,
          taskQueue,
          activities: { nothing: async () => {} },
          workflowBundle: { code },
          workerDeploymentOptions: {
            useWorkerVersioning: true,
            version: { deploymentName: 'portcullis', buildId },
            defaultVersioningBehavior: 'AUTO_UPGRADE',
          },
        }),
      ),
    );
    const done = then();
    await Promise.all(workers.map((worker) => worker.runUntil(done)));
  };
  const polls = (state: string, detail: string) =>
    expect
      .poll(() => checkTemporal({ address, namespace }))
      .toMatchObject([
        { name: 'Temporal', state: 'ok' },
        { name: 'worker', state, detail: expect.stringContaining(detail) },
      ]);
  await working('another-build', [QUEUES.alerts], () => polls('fail', 'another-build'));
  await working(sourcesDigest(), Object.values(QUEUES), () =>
    polls('ok', `polling with build ${sourcesDigest()}`),
  );
  await connection.close();
  await temporal.stop();
});

test('Temporal: a queue that nobody of this build polls is named, however many poll the others', () => {
  const queues = (last: string[]) => [
    { queue: 'portcullis-alerts', builds: ['new', 'new'] },
    { queue: 'portcullis-callbacks', builds: last },
  ];
  expect(pollersCheck(queues(['new']), 'new')).toMatchObject({
    state: 'ok',
    detail: expect.stringMatching(/^1 /),
  });
  expect(pollersCheck(queues(['old']), 'new')).toMatchObject({
    state: 'fail',
    detail: 'none polls portcullis-callbacks with build new of this version, 1 of other builds (old)',
  });
  expect(pollersCheck(queues([]), 'old').detail).toContain('none polls with build old');
});
