import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import autocannon from 'autocannon';
import { readConfig } from '../src/config.ts';
import { startPostgres } from '../src/embedded/postgres/server.ts';
import { postmasterPid } from '../src/embedded/postgres/takeover.ts';
import { findTemporalBinary } from '../src/embedded/temporal-binary.ts';
import { startTemporalServer } from '../src/embedded/temporal-server.ts';
import { startPortcullis } from '../src/server.ts';
import { startFakeSlack } from '../test/fakes/slack/server.ts';
import { createStore } from '../test/support/store.ts';
import { benchAnswers } from './answers.ts';
import { benchBacklog, benchClicks } from './approvals.ts';
import { benchCases } from './cases.ts';
import { benchEprocess } from './eprocess.ts';
import { benchEvidence } from './evidence.ts';
import { benchFlood } from './flood.ts';
import { type Floor, startFloor } from './floor/floor.ts';
import { type Governed, givenGoverned } from './governed.ts';
import { benchGrowth } from './growth.ts';
import { benchLaptop } from './laptop.ts';
import { benchManyRollouts } from './many-rollouts.ts';
import { alternately, atOnce, ms, ratio } from './measure.ts';
import { benchMemory } from './memory.ts';
import { benchRollout } from './rollout.ts';
import { benchWeekly } from './weekly.ts';

const SEQUENTIAL = 100;
const AT_ONCE = 50;
const LOAD_SECONDS = 5;

const say = (line = '') => console.log(line);

/** (a) A governed write, ask to executed, beside the floor on the same server. */
async function benchWrites(governed: Governed, floor: Floor) {
  await alternately(10, governed.write, floor.once);
  const [write, bare] = await alternately(SEQUENTIAL, governed.write, floor.once);
  say(`(a) governed write, ask to executed     p50 ${ms(write.p50)}   p99 ${ms(write.p99)}   one at a time`);
  say(`    floor: 2 activities and 1 Update    p50 ${ms(bare.p50)}   p99 ${ms(bare.p99)}`);
  say(
    `    governed / floor                    p50 ${ratio(write.p50, bare.p50)}   p99 ${ratio(write.p99, bare.p99)}   aim: at most 0.50 x`,
  );
  const writes = await atOnce(AT_ONCE, governed.write);
  const bares = await atOnce(AT_ONCE, floor.once);
  say(`    ${AT_ONCE} at once: governed              p50 ${ms(writes.p50)}   all in ${ms(writes.totalMs)}`);
  say(`    ${AT_ONCE} at once: floor                 p50 ${ms(bares.p50)}   all in ${ms(bares.totalMs)}`);
  say(
    `    governed / floor                    p50 ${ratio(writes.p50, bares.p50)}   all ${ratio(writes.totalMs, bares.totalMs)}`,
  );
}

/** (b) Reads under load: each recorded before it is answered. */
async function benchReads(url: string, governed: Governed) {
  let n = 0;
  const result = await autocannon({
    url: `${url}/v1/actions`,
    connections: 16,
    duration: LOAD_SECONDS,
    setupClient: (client) => client.setHeaders(governed.agentHeaders),
    requests: [
      {
        method: 'POST',
        setupRequest: (request) => ({
          ...request,
          body: JSON.stringify({
            agentVersion: '1',
            tool: 'lookup',
            args: {},
            subject: 'conversation-1',
            idempotencyKey: `read-${process.pid}-${n++}`,
          }),
        }),
      },
    ],
  });
  say(
    `(b) POST /v1/actions, reads, 16 callers   p50 ${ms(result.latency.p50)}   p99 ${ms(result.latency.p99)}   ${Math.round(result.requests.average)}/s   ${result.non2xx} refused`,
  );
}

interface Servers {
  temporalAddress: string;
  /** Of Postgres, the parent of all its backends. */
  postgresPid: number | undefined;
  /** The bench's own, gone when it ends. */
  folder: string;
}

/** A Postgres and a Temporal server of the bench's own, for as long as `work` takes. */
async function withServers(work: (environment: Record<string, string>, more: Servers) => Promise<void>) {
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-bench-'));
  const postgres = await startPostgres({ folder: join(folder, 'postgres'), log: say });
  const { path } = await findTemporalBinary({ log: say });
  const temporal = await startTemporalServer({
    binary: path,
    namespace: 'default',
    dbFile: join(folder, 't.db'),
    logFile: join(folder, 't.log'),
  });
  const environment = {
    DATABASE_URL: await createStore(postgres.url),
    TEMPORAL_ADDRESS: temporal.address,
    PORTCULLIS_DATA: join(folder, 'data'),
    PORTCULLIS_PORT: '0',
    PORTCULLIS_PUBLIC_URL: 'http://127.0.0.1:8080',
    PORTCULLIS_LOG_LEVEL: 'error',
  };
  try {
    await work(environment, {
      temporalAddress: temporal.address,
      postgresPid: postmasterPid(join(postgres.folder, 'data')),
      folder,
    });
  } finally {
    await temporal.stop();
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function benchAll(environment: Record<string, string>, { temporalAddress }: Servers) {
  const slack = await startFakeSlack({
    users: [{ id: 'U0ANA', name: 'ana', teamId: 'T0FAKE' }],
    channels: [{ id: 'C0APPROVALS', name: 'approvals', members: ['U0ANA'] }],
  });
  const service = await startPortcullis(
    readConfig({
      ...environment,
      SLACK_BOT_TOKEN: slack.tokens.bot,
      SLACK_APP_TOKEN: slack.tokens.app,
      SLACK_API_URL: slack.url,
    }),
  );
  const floor = await startFloor(temporalAddress);
  try {
    say(
      `${cpus().length} cores, Node ${process.versions.node}, Postgres and Temporal dev server on this machine, all in one run\n`,
    );
    const governed = await givenGoverned(service);
    await benchClicks(governed, slack, service);
    await benchBacklog(governed, floor, service);
    await benchWrites(governed, floor);
    await benchReads(service.url, governed);
    await benchFlood(service.url, governed.agentHeaders, say);
    const { binaryUpdatesPerSecond, judgementsPerSecond } = benchEprocess();
    say(
      `(c) e-process updates                     ${Math.round(binaryUpdatesPerSecond).toLocaleString('en')}/s   judgements over 90 days ${Math.round(judgementsPerSecond).toLocaleString('en')}/s`,
    );
    await benchLaptop(say);
  } finally {
    await floor.stop();
    await service.stop();
    await slack.stop();
  }
}

const [what, first, second] = process.argv.slice(2);
if (what === 'growth') await benchGrowth(say, first === undefined ? undefined : Number(first));
else if (what === 'weekly') await benchWeekly(say, first === undefined ? undefined : Number(first));
else if (what === 'cases') benchCases();
else if (what === 'rollout') benchRollout(say, first === undefined ? undefined : Number(first));
else if (what === 'rollouts')
  await withServers((environment) => benchManyRollouts(environment, say, first ? Number(first) : undefined));
else if (what === 'evidence')
  await withServers((environment) => benchEvidence(environment, say, first ? Number(first) : undefined));
else if (what === 'memory')
  await withServers((environment) =>
    benchMemory(environment, { minutes: Number(first ?? 10), rate: Number(second ?? 500) }, say),
  );
else if (what === 'answers')
  await withServers(({ DATABASE_URL: databaseUrl = '' }, { folder, ...servers }) =>
    benchAnswers({ databaseUrl, ...servers, folder: join(folder, 'opa') }, say),
  );
else await withServers(benchAll);
process.exit(0);
