import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import autocannon from 'autocannon';
import { benchEngines } from './engines.ts';
import { anyQuestion, type Kind } from './many.ts';
import { ms, ratio, spreadOf } from './measure.ts';
import { findOpa, startOpa, writePolicy } from './opa.ts';

const SERVICE = fileURLToPath(new URL('./answers-service.ts', import.meta.url));
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
  node: number;
  postgres: number | undefined;
}

interface Told {
  url: string;
  tokens: Record<string, string>;
}

export interface AnswersRun {
  environment: Record<string, string>;
  /** Where OPA's policy is written. */
  folder: string;
  postgresPid: number | undefined;
}

/**
 * `npm run bench -- answers`: how many answers a second 64 callers get, recorded and durable, beside those of OPA's server,
 * which records nothing; in turns, all on this machine.
 */
export async function benchAnswers(
  { environment, folder, postgresPid }: AnswersRun,
  say: (line: string) => void,
): Promise<void> {
  const opa = await findOpa(say);
  await writePolicy(folder);
  const server = await startOpa(opa, folder);
  const service = fork(SERVICE, [], {
    execArgv: ['--import', 'tsx'],
    env: { ...process.env, ...environment },
  });
  const [told] = (await once(service, 'message')) as [Told];
  const kinds = ['before', 'after', 'write'] as const;
  const loads = new Map<Kind | 'opa', Load[]>();
  const used = new Map<Kind, Used[]>();
  const keep = <K, V>(map: Map<K, V[]>, key: K, value: V) => map.set(key, [...(map.get(key) ?? []), value]);
  for (let round = -1; round < ROUNDS; round++) {
    const floor = await askOpa(server.url);
    if (round >= 0) keep(loads, 'opa', floor);
    for (const kind of kinds) {
      const before = await usage(service, postgresPid);
      const load = await askPortcullis(told, kind);
      const after = await usage(service, postgresPid);
      // The first round warms everything up.
      if (round < 0) continue;
      keep(loads, kind, load);
      keep(used, kind, {
        node: (after.node - before.node) / (load.rate * SECONDS),
        postgres:
          after.postgres && before.postgres && (after.postgres - before.postgres) / (load.rate * SECONDS),
      });
    }
  }
  service.disconnect();
  await once(service, 'exit');
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
    const cpu = mine.flatMap(({ postgres }) => (postgres === undefined ? [] : [postgres]));
    say(
      `    CPU an answer: Node ${Math.round(spreadOf(mine.map(({ node }) => node)).p50)} µs, Postgres ${cpu.length === 0 ? 'not known here' : `${Math.round(spreadOf(cpu).p50)} µs`}`,
    );
  }
  say('');
  await benchEngines(opa, folder, say);
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
  load(url, () => {
    const { agent, tool, tier } = anyQuestion('before');
    return { body: JSON.stringify({ input: { agent, tool, tier, args: { id: 'R-1' } } }) };
  });

const askPortcullis = ({ url, tokens }: Told, kind: Kind): Promise<Load> =>
  load(`${url}/v1/actions${kind === 'write' ? '?begin=true' : ''}`, () => {
    const { agent, tool } = anyQuestion(kind);
    const body = {
      agentVersion: '1',
      tool,
      args: { id: 'R-1' },
      subject: `conversation-${Math.floor(Math.random() * 10_000)}`,
      idempotencyKey: randomUUID(),
      ...(kind === 'write' ? { executionId: randomUUID() } : {}),
    };
    return { body: JSON.stringify(body), headers: { authorization: `Bearer ${tokens[agent]}` } };
  });

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

async function usage(
  service: ChildProcess,
  postgresPid: number | undefined,
): Promise<{ node: number; postgres: number | undefined }> {
  service.send('usage');
  const [{ user, system }] = (await once(service, 'message')) as [NodeJS.CpuUsage];
  return { node: user + system, postgres: postgresPid && (await cpuOfTree(postgresPid)) };
}

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
