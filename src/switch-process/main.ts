import pino, { type Logger } from 'pino';
import { createSwitchApi } from '../api/switch-server.ts';
import { DatabaseClock } from '../db/clock.ts';
import { openDatabase } from '../db/database.ts';
import { isStoreSlow } from '../db/failure.ts';
import { AppError } from '../errors.ts';
import { pullSwitch } from '../switches/disable.ts';
import { keepSpareStop } from '../switches/spare-stop.ts';
import type { FromSwitch, Refusal, SwitchOptions, ToSwitch } from './messages.ts';

/** One for the tokens, one for those that hold the gate; the stop has its own. */
const POOL_SIZE = 2;
/** The service is gone: a stop that is under way may still close. */
const LAST_MS = 5_000;

/**
 * The process of the switch. `portcullis up` starts it with nothing but a channel; it answers `PUT /v1/switches/…` and
 * the service's own surfaces, and ends with the service.
 */
process.once('message', (message: ToSwitch) => {
  if (message.kind === 'start') void start(message.options);
});
// Ctrl-C reaches all processes of a terminal: the service ends this one in order.
process.on('SIGINT', () => {});

const tell = (message: FromSwitch): void => void process.send?.(message);

async function start(options: SwitchOptions): Promise<void> {
  const log = pino({ level: options.logLevel }).child({ process: 'switch' });
  try {
    await serve(options, log);
  } catch (error) {
    const busyPort = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
    tell({ kind: 'failed', refusal: refusalOf(error), busyPort });
    process.disconnect?.();
    process.exitCode = 1;
  }
}

async function serve({ databaseUrl, host, port, ...known }: SwitchOptions, log: Logger): Promise<void> {
  const hosts = { ...known };
  const opened = await openDatabase({ url: databaseUrl, poolSize: POOL_SIZE });
  const db = await keepSpareStop(opened, log);
  const clock = await DatabaseClock.start(db.sql);
  const app = await createSwitchApi({ db, clock, log, wake: () => {} }, hosts);
  const end = () => {
    setTimeout(() => process.exit(0), LAST_MS).unref();
    void app.close().finally(() => process.exit(0));
  };
  process.once('disconnect', end).once('SIGTERM', end);
  process.on('message', (message: ToSwitch) => {
    if (message.kind === 'reached') hosts.publicUrl = message.publicUrl;
    if (message.kind !== 'pull') return;
    const { id, actor, input } = message;
    tell({ kind: 'taken', id });
    pullSwitch({ db, clock }, actor, input).then(
      (answer) => tell({ kind: 'pulled', id, answer }),
      (error: unknown) => tell({ kind: 'refused', id, refusal: refusalOf(error) }),
    );
  });
  tell({ kind: 'listening', url: await app.listen({ host, port }) });
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof AppError) return { code: error.code, message: error.message, details: error.details };
  const message = error instanceof Error ? error.message : String(error);
  if (isStoreSlow(error))
    return {
      code: 'store_slow',
      message: `The database took too long for the switch: ${message}`,
      details: {},
    };
  return { code: 'store_down', message: `The switch could not reach the database: ${message}`, details: {} };
}
