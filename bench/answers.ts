import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import autocannon from 'autocannon';
import { givenAdopted, givenRelease, givenToken } from '../test/support/fixtures.ts';
import { startService } from '../test/support/service-process.ts';
import { servicesAt } from '../test/support/services.ts';
import { benchEngines } from './engines.ts';
import { agents, agentYaml, anyQuestion, type Kind, regoInput, releaseYaml, tierOf } from './many.ts';
import { ms, ratio, spreadOf } from './measure.ts';
import { findOpa, startOpa, writePolicy } from './opa.ts';

const CALLERS = 64;
const SECONDS = 5;
const ROUNDS = 3;
const TICK_MS = 10;

interface Load {
  rate: number;
  p50: number;
  p99: number;
  refused: number;
}

/** What the service and its Postgres used meanwhile, in microseconds of CPU an answer. */
interface Used {
  node: number | undefined;
  postgres: number | undefined;
}

const each = (before: number | undefined, after: number | undefined, { rate }: Load) =>
  before === undefined || after === undefined ? undefined : (after - before) / (rate * SECONDS);

type Tokens = Readonly<Record<string, string>>;

/** The world of many agents, each with a token in its segment. */
async function givenMany(databaseUrl: string): Promise<Tokens> {
  const services = await servicesAt(databaseUrl);
  services.clock.now = () => new Date();
  const tokens: Record<string, string> = {};
  for (const [n, name] of agents.entries()) {
    const first = { agentYaml: agentYaml(name), releaseYaml: releaseYaml(name, 1, 'desk') };
    const { agent } = await givenAdopted(services, first);
    await givenRelease(services, agent, releaseYaml(name, 2, 'none'));
    const { token } = await givenToken(services, 'agent', { agent: name, attributes: { tier: tierOf(n) } });
    tokens[name] = token;
  }
  // As after its rollout, which takes weeks: writes run unasked.
  await services.db.sql.updateTable('in_force').set({ release: '2' }).execute();
  await services.close();
  return tokens;
}

export interface AnswersRun {
  databaseUrl: string;
  temporalAddress: string;
  /** Where OPA's policy is written. */
  folder: string;
  postgresPid: number | undefined;
}

/**
 * `npm run bench -- answers`: how many answers a second 64 callers get, recorded and durable, beside those of OPA's server,
 * which records nothing; in turns, all on this machine.
 */
export async function benchAnswers(
  { databaseUrl, temporalAddress, folder, postgresPid }: AnswersRun,
  say: (line: string) => void,
): Promise<void> {
  const opa = await findOpa(say);
  await writePolicy(folder);
  const server = await startOpa(opa, folder);
  const tokens = await givenMany(databaseUrl);
  const publicUrl = 'http://127.0.0.1:8080';
  const service = await startService({
    databaseUrl,
    temporalAddress,
    roles: ['api', 'background'],
    publicUrl,
  });
  const kinds = ['before', 'after', 'write'] as const;
  const loads = new Map<Kind | 'opa', Load[]>();
  const used = new Map<Kind, Used[]>();
  const keep = <K, V>(map: Map<K, V[]>, key: K, value: V) => map.set(key, [...(map.get(key) ?? []), value]);
  for (let round = -1; round < ROUNDS; round++) {
    const floor = await askOpa(server.url);
    if (round >= 0) keep(loads, 'opa', floor);
    for (const kind of kinds) {
      const before = await usage(service.pid(), postgresPid);
      const load = await askPortcullis(service.url, tokens, kind);
      const after = await usage(service.pid(), postgresPid);
      // The first round warms everything up.
      if (round < 0) continue;
      keep(loads, kind, load);
      keep(used, kind, {
        node: each(before.node, after.node, load),
        postgres: each(before.postgres, after.postgres, load),
      });
    }
  }
  await service.stop();
  await server.stop();
  say(
    `${cpus().length} cores with everything on them, ${CALLERS} callers, fsync and synchronous_commit on\n`,
  );
  const opaRate = median(loads.get('opa'), 'rate');
  sayLoad(say, "OPA's server, nothing recorded", loads.get('opa') ?? []);
  const aims = { before: 0.25, after: 0.6, write: undefined } as const;
  const names = {
    before: 'reads, recorded before the answer',
    after: 'reads, recorded after it',
    write: 'writes, asked and begun in one',
  } as const;
  for (const kind of kinds) {
    sayLoad(say, names[kind], loads.get(kind) ?? []);
    const rate = median(loads.get(kind), 'rate');
    const aim = aims[kind];
    say(
      aim === undefined
        ? `    aim: at least 1,500/s`
        : `    ${ratio(rate, opaRate)} the rate of OPA's server   aim: at least ${aim.toFixed(2)} x`,
    );
    const mine = used.get(kind) ?? [];
    say(
      `    CPU an answer: Node ${micros(mine.map(({ node }) => node))}, Postgres ${micros(mine.map(({ postgres }) => postgres))}`,
    );
  }
  say('');
  await benchEngines(opa, folder, say);
}

function micros(all: readonly (number | undefined)[]): string {
  const known = all.filter((one) => one !== undefined);
  return known.length === 0 ? 'not known here' : `${Math.round(spreadOf(known).p50)} µs`;
}

const median = (loads: readonly Load[] | undefined, of: keyof Load): number =>
  spreadOf((loads ?? []).map((load) => load[of])).p50;

function sayLoad(say: (line: string) => void, name: string, loads: readonly Load[]): void {
  const [p50, p99] = [median(loads, 'p50'), median(loads, 'p99')];
  const refused = loads.reduce((sum, load) => sum + load.refused, 0);
  say(
    `${name.padEnd(36)}${Math.round(median(loads, 'rate')).toLocaleString('en').padStart(8)}/s   p50 ${ms(p50)}   p99 ${ms(p99)}   ${ratio(p99, p50)} p50   ${refused} refused`,
  );
}

const askOpa = (url: string): Promise<Load> =>
  load(url, () => ({ body: JSON.stringify({ input: regoInput(anyQuestion('before')) }) }));

const askPortcullis = (url: string, tokens: Tokens, kind: Kind): Promise<Load> =>
  load(`${url}/v1/actions${kind === 'write' ? '?begin=true' : ''}`, () => {
    const { agent, tool } = anyQuestion(kind);
    const body = {
      agentVersion: '1',
      tool,
      args: { id: 'R-1' },
      subject: nextSubject(agent),
      idempotencyKey: randomUUID(),
      ...(kind === 'write' ? { executionId: randomUUID() } : {}),
    };
    return { body: JSON.stringify(body), headers: { authorization: `Bearer ${tokens[agent]}` } };
  });

/** A conversation asks so often, then there is another one. */
const ASKS_EACH = 10;
const asked = new Map<string, number>();

function nextSubject(agent: string): string {
  const n = asked.get(agent) ?? 0;
  asked.set(agent, n + 1);
  return `conversation-${Math.floor(n / ASKS_EACH)}`;
}

async function load(
  url: string,
  request: () => { body: string; headers?: Record<string, string> },
): Promise<Load> {
  const { requests, latency, non2xx } = await autocannon({
    url,
    connections: CALLERS,
    duration: SECONDS,
    requests: [
      {
        method: 'POST',
        setupRequest: (given) => {
          const { body, headers } = request();
          return { ...given, body, headers: { ...headers, 'content-type': 'application/json' } };
        },
      },
    ],
  });
  return { rate: requests.average, p50: latency.p50, p99: latency.p99, refused: non2xx };
}

const usage = async (node: number, postgres: number | undefined) => ({
  node: await cpuOfTree(node),
  postgres: postgres && (await cpuOfTree(postgres)),
});

/** Of a process and its children, also of those that have ended; where Linux keeps books of it. */
async function cpuOfTree(pid: number): Promise<number | undefined> {
  try {
    let ticks = 0;
    for (const name of await readdir('/proc')) {
      if (!/^\d+$/.test(name)) continue;
      const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
      // After the name, which may hold anything: state, parent, ..., utime, stime, cutime, cstime.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (Number(fields[1]) === pid) ticks += Number(fields[11]) + Number(fields[12]);
      if (Number(name) === pid) ticks += fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    }
    return ticks * TICK_MS * 1_000;
  } catch {
    return undefined;
  }
}
