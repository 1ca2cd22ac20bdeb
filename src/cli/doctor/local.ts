import { constants, existsSync, readFileSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Config } from '../../config.ts';
import { isAlive } from '../../db/folder-lock.ts';
import { AppError } from '../../errors.ts';
import { dataFolder } from '../connection.ts';
import type { CliIo } from '../io.ts';
import { formatDuration } from '../text/format.ts';
import { type Check, fail, ok, warn, wordsOf } from './check.ts';

const NODE_MIN = [20, 19] as const;
const DAY_MS = 86_400_000;

/** Node, the environment's variables and the data folder. */
export async function checkHere(io: CliIo): Promise<{ checks: Check[]; config?: Config }> {
  const { readConfig } = await import('../../config.ts');
  const checks = [checkNode()];
  try {
    const config = readConfig(io.env);
    checks.push(ok('config', 'every variable that is set can be read'), ...checkDay(config.dayMs));
    if (!config.databaseUrl) checks.push(await checkFolder(dataFolder(io)));
    return { checks, config };
  } catch (error) {
    const detail =
      error instanceof AppError ? error.message.replace(/^Cannot start:\s*/, '') : wordsOf(error);
    checks.push(fail('config', detail, 'Mend the variables that are named (.env.example explains each)'));
    return { checks };
  }
}

function checkNode(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const good = major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1]);
  const detail = `Node ${process.versions.node}`;
  return good ? ok('node', detail) : fail('node', detail, `Install Node ${NODE_MIN.join('.')} or newer`);
}

const checkDay = (dayMs: number): Check[] =>
  dayMs === DAY_MS
    ? []
    : [
        warn(
          'day',
          `PORTCULLIS_DAY is ${formatDuration(dayMs)}`,
          'Right for demos and tests; unset it elsewhere',
        ),
      ];

/** The embedded database lets one process in; a second one would lose rows. */
async function checkFolder(folder: string): Promise<Check> {
  const name = 'data folder';
  const lock = join(folder, 'lock');
  if (existsSync(lock)) {
    const pid = Number(readFileSync(lock, 'utf8'));
    if (isAlive(pid)) return ok(name, `${folder}, used by process ${pid}`);
    const mend = 'Nothing to do: the next portcullis up takes it over';
    return warn(name, `${folder} has the lock of process ${pid}, which is gone`, mend);
  }
  const place = existsSync(folder) ? folder : dirname(folder);
  try {
    await access(place, constants.W_OK);
    return ok(name, `${folder}, used by nobody`);
  } catch {
    const mend = 'Make it writable, or set PORTCULLIS_DATA to another folder';
    return fail(name, `${place} cannot be written`, mend);
  }
}
