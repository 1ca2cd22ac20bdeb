import { constants, existsSync, statSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Config } from '../../config.ts';
import { AppError } from '../../errors.ts';
import { dataFolder } from '../connection.ts';
import type { CliIo } from '../io.ts';
import { formatDuration } from '../text/format.ts';
import { type Check, fail, ok, warn, wordsOf } from './check.ts';

const NODE_MIN = [20, 19] as const;
const DAY_MS = 86_400_000;

/** Node, the environment's variables and the data folder. */
export async function checkHere(io: CliIo): Promise<{ checks: Check[]; config?: Config }> {
  const { lookAtConfig } = await import('../../config.ts');
  const checks = [checkNode()];
  try {
    const config = lookAtConfig(io.env);
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

const checkDay = (dayMs: number = DAY_MS): Check[] =>
  dayMs === DAY_MS
    ? []
    : [
        warn(
          'day',
          `PORTCULLIS_DAY is ${formatDuration(dayMs)}`,
          'Right for demos and tests; unset it elsewhere',
        ),
      ];

/** Whose folder of the embedded parts it is, and whether it is closed to others. */
async function checkFolder(folder: string): Promise<Check> {
  const name = 'data folder';
  const { runningService } = await import('../../embedded/postgres/takeover.ts');
  if (!existsSync(folder)) return checkWritable(name, dirname(folder), `${folder}, made by portcullis up`);
  if (process.platform !== 'win32' && (statSync(folder).mode & 0o077) !== 0) {
    return warn(name, `${folder} is open to other accounts`, 'The next portcullis up closes it (mode 0700)');
  }
  const pid = await runningService(folder);
  if (pid !== undefined) return ok(name, `${folder}, used by process ${pid}`);
  return checkWritable(name, folder, `${folder}, used by nobody`);
}

async function checkWritable(name: string, place: string, detail: string): Promise<Check> {
  try {
    await access(place, constants.W_OK);
    return ok(name, detail);
  } catch {
    const mend = 'Make it writable, or set PORTCULLIS_DATA to another folder';
    return fail(name, `${place} cannot be written`, mend);
  }
}
