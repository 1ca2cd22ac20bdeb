import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import autocannon from 'autocannon';
import type { Held } from './memory-service.ts';

const SERVICE = fileURLToPath(new URL('./memory-service.ts', import.meta.url));
const SAMPLE_EVERY_MS = 5_000;
/** Until then caches fill, and code is compiled. */
const WARM_SHARE = 0.2;
const STREAMS = 40;
const POLLS = 100;
const ASKED_BY_PEOPLE_SHARE = 50;
/** So few that whatever remembers them is full when the measuring begins. */
const SUBJECTS = 500;

export interface MemoryRun {
  minutes: number;
  /** Questions a second. */
  rate: number;
}

/** How many units a minute a line through the samples rises, by least squares. */
export function slopePerMinute(samples: readonly { atMs: number; value: number }[]): number {
  const n = samples.length;
  const meanAt = samples.reduce((sum, { atMs }) => sum + atMs, 0) / n;
  const mean = samples.reduce((sum, { value }) => sum + value, 0) / n;
  const above = samples.reduce((sum, { atMs, value }) => sum + (atMs - meanAt) * (value - mean), 0);
  const below = samples.reduce((sum, { atMs }) => sum + (atMs - meanAt) ** 2, 0);
  return below === 0 ? 0 : (above / below) * 60_000;
}

/** `npm run bench -- memory`: what the API holds under a steady load of questions, long polls and event streams. */
export async function benchMemory(
  environment: Record<string, string>,
  { minutes, rate }: MemoryRun,
  say: (line: string) => void,
): Promise<void> {
  const service = fork(SERVICE, [], {
    execArgv: ['--import', 'tsx', '--expose-gc'],
    env: { ...process.env, ...environment },
  });
  const { url, headers } = await served(service);
  const ends = new AbortController();
  const waiting = [
    ...Array.from({ length: STREAMS }, () => follow(url, headers, ends.signal)),
    ...Array.from({ length: POLLS }, () => poll(url, headers, ends.signal)),
  ];
  const load = ask(url, headers, { minutes, rate });
  const samples = await sampled(service, minutes * 60_000);
  const { requests, non2xx } = await load;
  ends.abort();
  await Promise.all(waiting);
  service.disconnect();
  await once(service, 'exit');
  const [first, last] = [samples[0], samples.at(-1)];
  const steady = samples.slice(Math.floor(samples.length * WARM_SHARE));
  for (const what of ['heap', 'rss'] as const) {
    const slopeOf = (some: typeof steady) =>
      (slopePerMinute(some.map(({ atMs, held }) => ({ atMs, value: held[what] }))) / 1_024).toFixed(1);
    const half = steady.slice(Math.floor(steady.length / 2));
    say(
      `(m) ${what.padEnd(5)} under ${Math.round(requests.average)} questions/s for ${minutes} min   ${mb(first?.held[what])} to ${mb(last?.held[what])}   slope ${slopeOf(steady)} kB/min, of the later half ${slopeOf(half)}   aim: flat`,
    );
  }
  say(`    ${requests.total} answered, ${non2xx} refused; ${STREAMS} event streams, ${POLLS} long polls`);
}

/** What it says once it serves. Rejects where it ends before. */
async function served(service: ChildProcess): Promise<{ url: string; headers: Record<string, string> }> {
  const ended = once(service, 'exit').then(() =>
    Promise.reject(new Error('the service ended before it served')),
  );
  const [told] = await Promise.race([once(service, 'message'), ended]);
  return told;
}

const mb = (bytes = 0): string => `${(bytes / 1_048_576).toFixed(1)} MB`;

async function sampled(service: ChildProcess, forMs: number): Promise<{ atMs: number; held: Held }[]> {
  const samples: { atMs: number; held: Held }[] = [];
  const startedAt = performance.now();
  while (performance.now() - startedAt < forMs) {
    await sleep(SAMPLE_EVERY_MS);
    service.send('sample');
    const [held] = (await once(service, 'message')) as [Held];
    samples.push({ atMs: performance.now() - startedAt, held });
  }
  return samples;
}

/** Most are reads; some wait for a person. */
function ask(url: string, headers: Record<string, string>, { minutes, rate }: MemoryRun) {
  let n = 0;
  const body = () => ({
    agentVersion: '1',
    tool: ++n % ASKED_BY_PEOPLE_SHARE === 0 ? 'cancel' : 'lookup',
    args: n % ASKED_BY_PEOPLE_SHARE === 0 ? { id: `R-${n}` } : {},
    subject: `conversation-${n % SUBJECTS}`,
    idempotencyKey: `memory-${process.pid}-${n}`,
  });
  return autocannon({
    url: `${url}/v1/actions`,
    connections: 16,
    duration: minutes * 60,
    overallRate: rate,
    setupClient: (client) => client.setHeaders(headers),
    requests: [{ method: 'POST', setupRequest: (request) => ({ ...request, body: JSON.stringify(body()) }) }],
  });
}

async function follow(url: string, headers: Record<string, string>, signal: AbortSignal): Promise<void> {
  try {
    const { body } = await fetch(`${url}/v1/events`, { headers, signal });
    for await (const _ of body ?? []);
  } catch {
    // Ended with the bench.
  }
}

/** Waits for what nobody answers, again and again. */
async function poll(url: string, headers: Record<string, string>, signal: AbortSignal): Promise<void> {
  const asked = {
    agentVersion: '1',
    tool: 'cancel',
    args: { id: 'R-0' },
    subject: 'who waits',
    idempotencyKey: crypto.randomUUID(),
  };
  try {
    const answer = await fetch(`${url}/v1/actions`, {
      method: 'POST',
      headers,
      body: JSON.stringify(asked),
      signal,
    });
    const { id } = (await answer.json()) as { id: string };
    while (!signal.aborted) {
      const seen = await fetch(`${url}/v1/actions/${id}?wait=10s`, { headers, signal });
      await seen.arrayBuffer();
    }
  } catch {
    // Ended with the bench.
  }
}
