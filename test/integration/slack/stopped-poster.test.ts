import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSlackClient, createSlackPort } from '../../../src/cards/posting/port.ts';
import { postAtOnce, postOnce } from '../../../src/cards/posting/post-once.ts';
import { ManualClock } from '../../../src/clock.ts';
import { type FakeSlack, startFakeSlack } from '../../fakes/slack/server.ts';
import { testPostgres } from '../../support/context.ts';
import { createDatabase, dropDatabase } from '../../support/postgres.ts';
import { servicesAt, type TestServices } from '../../support/services.ts';

const CHANNEL = 'C0DESK';
/** Longer than a process keeps a try for itself. */
const TRY_OVER_MS = 31_000;

let url: string;
let slack: FakeSlack;
/** Another process, for which the try of the first is over. */
let services: TestServices;
const started: ChildProcess[] = [];
beforeAll(async () => {
  url = await createDatabase(testPostgres());
  slack = await startFakeSlack({ channels: [{ id: CHANNEL, name: 'desk' }] });
  services = await servicesAt(url, { clock: new ManualClock(new Date()) });
});
afterAll(async () => {
  for (const child of started) child.kill('SIGKILL');
  await services.close();
  await slack.stop();
  await dropDatabase(testPostgres(), url);
});

for (const [way, post] of [
  ['postOnce', postOnce],
  ['postAtOnce', postAtOnce],
] as const) {
  test(`${way}(): a process that is stopped between its turn and Slack posts nothing once another has`, async () => {
    const { bot } = slack.tokens;
    const args = [url, bot, slack.url, way, way, CHANNEL];
    const first = fork(fileURLToPath(new URL('./stopped-poster.ts', import.meta.url)), args, {
      execArgv: ['--import', 'tsx'],
    });
    started.push(first);
    // On a connection that may stand for as long as a process takes to start on a busy machine.
    const { sql: keeper, close } = await services.db.openMigration();
    await sql`SELECT pg_advisory_lock(42)`.execute(keeper);
    expect(await once(first, 'message')).toEqual(['has its turn', undefined]);
    first.kill('SIGSTOP');
    await close();
    services.clock.moveTo(new Date(Date.now() + TRY_OVER_MS));
    const port = createSlackPort(createSlackClient({ botToken: bot, apiUrl: slack.url }), services.clock);
    const message = async () => ({ message: { text: `${way} by the second`, blocks: [] }, version: 1 });
    await post(services, port, { ref: way, channel: CHANNEL, message });
    const texts = () =>
      slack
        .messages(CHANNEL)
        .map(({ text }) => text)
        .filter((text) => text.startsWith(`${way} `));
    expect(texts()).toEqual([`${way} by the second`]);

    first.kill('SIGCONT');
    const [told] = await once(first, 'message');
    expect(JSON.stringify(told)).toMatch(way === 'postOnce' ? /"state":"waiting"/ : /taken_over/);
    expect(texts()).toEqual([`${way} by the second`]);
  });
}
