import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { ms, ratio, type Spread } from './measure.ts';

const AUTOCANNON = createRequire(import.meta.url).resolve('autocannon');
const ONE_USER = fileURLToPath(new URL('./one-user.ts', import.meta.url));
const FOR_MS = 4_000;
const FLOODERS = 50;
const FLOODS: readonly (readonly [string, string[]])[] = [
  ['no token', []],
  ['invented tokens', ['-H', 'authorization: Bearer pcl_invented']],
];

/** Who may, and asks one thing after the other. */
async function oneUser(url: string, headers: Record<string, string>) {
  const asks = JSON.stringify({ url, headers, forMs: FOR_MS });
  const user = fork(ONE_USER, [asks], { execArgv: ['--import', 'tsx'] });
  const [said] = await once(user, 'message');
  return said as Spread & { refused: number };
}

/** Who may not, from a process of their own and as fast as they are answered; how many were answered in a second. */
async function flood(url: string, flags: readonly string[]): Promise<number> {
  const all = [AUTOCANNON, '-c', String(FLOODERS), '-d', String(FOR_MS / 1_000), '--json', ...flags, url];
  const child = spawn(process.execPath, all, { stdio: ['ignore', 'pipe', 'ignore'] });
  let out = '';
  for await (const text of child.stdout) out += String(text);
  return (JSON.parse(out) as { requests: { average: number } }).requests.average;
}

/** (g) What somebody with a token waits alone, and beside a flood of those who have none or an invented one. */
export async function benchFlood(
  url: string,
  headers: Record<string, string>,
  say: (line: string) => void,
): Promise<void> {
  const path = `${url}/v1/agents/bench`;
  const alone = await oneUser(path, headers);
  say(`(g) GET of an agent, one user alone       p50 ${ms(alone.p50)}   ${alone.n} answers`);
  for (const [name, flags] of FLOODS) {
    const [beside, rate] = await Promise.all([oneUser(path, headers), flood(path, flags)]);
    say(
      `    beside ${FLOODERS} with ${name.padEnd(16)}        p50 ${ms(beside.p50)}   ${ratio(beside.p50, alone.p50)}   aim: at most 2 x   ${beside.refused} refused, the flood ${Math.round(rate)}/s`,
    );
  }
}
