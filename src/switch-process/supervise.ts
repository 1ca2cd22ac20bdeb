import { type ChildProcess, fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { extname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Logger } from 'pino';
import { AppError } from '../errors.ts';
import type { DisableAnswer, DisableInput } from '../records/stop.ts';
import type { SwitchProcess } from '../services.ts';
import type { FromSwitch, Refusal, SwitchOptions, ToSwitch } from './messages.ts';

const STARTED_WITHIN_MS = 60_000;
/** A process that lives says so at once; nobody waits longer for one that hangs. */
const TAKEN_WITHIN_MS = 250;
const STOPPED_WITHIN_MS = 6_000;
const AGAIN_MIN_MS = 50;
const AGAIN_MAX_MS = 5_000;

/** This file's folder holds sources or what was compiled of them. */
const EXTENSION = extname(fileURLToPath(import.meta.url));
const ENTRY = fileURLToPath(new URL(`./main${EXTENSION}`, import.meta.url));

export interface SupervisedSwitch extends SwitchProcess {
  /** For tests: the process as it is now. */
  pid(): number | undefined;
  stop(): Promise<void>;
}

type Wanted = SwitchOptions & {
  /** Where the port is taken, another one will do. */
  anyPort: boolean;
};

interface Waiting {
  taken(): void;
  done(answer: DisableAnswer): void;
  refused(refusal: Refusal): void;
  gone(): void;
}

/**
 * Starts the switch's process and starts it again whenever it ends, on the same port.
 * @throws AppError `config_invalid` when its port is taken, or why else it did not start the first time
 */
export async function startSwitchProcess(asked: Wanted, log: Logger): Promise<SupervisedSwitch> {
  let wanted = asked;
  const waiting = new Map<number, Waiting>();
  let { child, url } = await startOn(wanted);
  const port = Number(new URL(url).port);
  let up = true;
  let stopping = false;
  let lastId = 0;

  const watch = (one: ChildProcess): void => {
    one.on('message', (message: FromSwitch) => heard(waiting, message));
    one.once('exit', (code, signal) => {
      up = false;
      for (const each of [...waiting.values()]) each.gone();
      if (stopping) return;
      log.error({ code, signal }, 'the process of the switch ended; it is started again');
      void again(AGAIN_MIN_MS);
    });
  };
  const again = async (waitMs: number): Promise<void> => {
    try {
      const next = await startChild({ ...wanted, port });
      if (stopping) return void next.child.kill('SIGKILL');
      ({ child, url } = next);
      up = true;
      watch(child);
      log.info({ url }, 'the process of the switch is back');
    } catch (error) {
      log.error({ err: error }, 'the process of the switch cannot be started; it is tried again');
      const nextMs = Math.min(AGAIN_MAX_MS, waitMs * 2);
      if (!stopping) setTimeout(() => void again(nextMs), waitMs).unref();
    }
  };
  watch(child);
  return {
    get url() {
      return url;
    },
    isUp: () => up,
    pid: () => (up ? child.pid : undefined),
    reachedAt(publicUrl) {
      wanted = { ...wanted, publicUrl };
      send(child, { kind: 'reached', publicUrl });
    },
    async pull(actor, input) {
      if (!up || stopping) return undefined;
      return ask(child, waiting, ++lastId, actor, input);
    },
    async stop() {
      stopping = true;
      await end(child);
    },
  };
}

async function startOn(wanted: Wanted): ReturnType<typeof startChild> {
  try {
    return await startChild(wanted);
  } catch (error) {
    if (!(error instanceof BusyPort) || !wanted.anyPort) throw error;
    return startChild({ ...wanted, port: 0 });
  }
}

/** Where the command was typed says nothing of where tsx is. */
const loader = (): string => pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

class BusyPort extends AppError {}

/** Resolves when it listens. */
function startChild({ anyPort: _, ...options }: Wanted): Promise<{ child: ChildProcess; url: string }> {
  const child = fork(ENTRY, [], {
    execArgv: EXTENSION === '.ts' ? ['--import', loader()] : [],
  });
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      clearTimeout(late);
      child.kill('SIGKILL');
      reject(error);
    };
    const ended = () => fail(new AppError('setup_failed', 'The process of the switch ended as it started'));
    const late = setTimeout(
      () => fail(new AppError('setup_failed', 'The process of the switch did not start in time')),
      STARTED_WITHIN_MS,
    );
    child.once('exit', ended).once('error', fail);
    child.once('message', (message: FromSwitch) => {
      child
        .off('exit', ended)
        .off('error', fail)
        .on('error', () => {});
      if (message.kind !== 'listening') return fail(failureOf(message, options));
      clearTimeout(late);
      resolve({ child, url: message.url });
    });
    send(child, { kind: 'start', options });
  });
}

function failureOf(message: FromSwitch, { host, port }: SwitchOptions): Error {
  if (message.kind !== 'failed') return new Error(`The switch said ${message.kind} first`);
  const { code, message: text, details } = message.refusal;
  if (!message.busyPort) return new AppError(code, text, details);
  const said = `Cannot start:\n- PORTCULLIS_SWITCH_PORT: ${host}:${port} is taken; set it to another port, or stop what listens there`;
  return new BusyPort('config_invalid', said);
}

function ask(
  child: ChildProcess,
  waiting: Map<number, Waiting>,
  id: number,
  actor: string,
  input: DisableInput,
): Promise<DisableAnswer | undefined> {
  return new Promise((resolve, reject) => {
    const over = () => {
      clearTimeout(late);
      waiting.delete(id);
    };
    const late = setTimeout(() => {
      over();
      resolve(undefined);
    }, TAKEN_WITHIN_MS);
    waiting.set(id, {
      taken: () => clearTimeout(late),
      done: (answer) => {
        over();
        resolve(answer);
      },
      refused: ({ code, message, details }) => {
        over();
        reject(new AppError(code, message, details));
      },
      gone: () => {
        over();
        resolve(undefined);
      },
    });
    send(child, { kind: 'pull', id, actor, input });
  });
}

function heard(waiting: Map<number, Waiting>, message: FromSwitch): void {
  if (!('id' in message)) return;
  const one = waiting.get(message.id);
  if (message.kind === 'taken') one?.taken();
  if (message.kind === 'pulled') one?.done(message.answer);
  if (message.kind === 'refused') one?.refused(message.refusal);
}

/** A channel that is gone says so by the end of the process. */
function send(child: ChildProcess, message: ToSwitch): void {
  if (child.connected) child.send(message, () => {});
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), STOPPED_WITHIN_MS);
  await ended;
  clearTimeout(late);
}
