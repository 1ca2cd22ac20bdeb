import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { DeskTally } from '../desk/server.ts';

const MAIN = fileURLToPath(new URL('../desk/main.ts', import.meta.url));
const READY_WITHIN_MS = 20_000;

/** The airline, in a process of its own. */
export interface Desk {
  url: string;
  pid: number;
  /** What the airline counted itself. */
  tally(): Promise<DeskTally>;
  /** What the airline knows of a customer, signed. */
  assertionFor(userId: string, conversation: string): Promise<string>;
  /** Uses a tool of the airline. @throws DeskRefusal */
  use(call: DeskCall, credential: string | undefined, signal?: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

export interface DeskCall {
  tool: string;
  conversation: string;
  call: number;
  args: Readonly<Record<string, unknown>>;
}

/** The airline said no; `code` is its own word, e.g. `refused_by_tool`. */
export class DeskRefusal extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, status: number) {
    super(`The desk refused: ${code}`);
    this.name = 'DeskRefusal';
    this.code = code;
    this.status = status;
  }
}

/** Starts the desk; it ends with this process. @throws Error when it does not come up */
export async function startDesk(jwksUrl: string, workMs: number): Promise<Desk> {
  const args = ['--import', 'tsx', MAIN, '--jwks', jwksUrl, '--work-ms', String(workMs), '--with-parent'];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const url = await addressOf(child);
  const json = async <T>(path: string, init?: RequestInit): Promise<T> => {
    const response = await fetch(url + path, init);
    const body = (await response.json()) as T & { code?: string };
    if (!response.ok) throw new DeskRefusal(body.code ?? 'unknown', response.status);
    return body;
  };
  const post = (body: unknown, headers: Record<string, string> = {}): RequestInit => ({
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return {
    url,
    pid: child.pid ?? 0,
    tally: () => json('/tally'),
    assertionFor: async (user_id, conversation) =>
      (await json<{ assertion: string }>('/assertions', post({ user_id, conversation }))).assertion,
    async use({ tool, ...body }, credential, signal) {
      const headers: Record<string, string> = credential ? { authorization: `Bearer ${credential}` } : {};
      await json(`/tools/${tool}`, { ...post(body, headers), ...(signal ? { signal } : {}) });
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
}

async function addressOf(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error('The desk has no standard output');
  const lines = createInterface({ input: child.stdout });
  const first = once(lines, 'line', { signal: AbortSignal.timeout(READY_WITHIN_MS) }) as Promise<[string]>;
  const ended = once(child, 'exit').then(() =>
    Promise.reject(new Error('The desk ended before it was ready')),
  );
  ended.catch(() => {});
  const [line] = await Promise.race([first, ended]);
  return (JSON.parse(line) as { url: string }).url;
}
