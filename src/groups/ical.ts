import { readFile, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, sep } from 'node:path';
import { Worker } from 'node:worker_threads';
import { ANSWER_BYTES_MAX, getText } from '../net/get-text.ts';
import { SourceFailure } from '../net/source-failure.ts';
import type { GroupSource, Shift, Window } from './source.ts';

const REDIRECTS_MAX = 2;
const EXPAND_MS = 5_000;
/** For a thread to begin, which a busy machine takes long for. */
const BEGIN_MS = 60_000;
const EXPAND_HEAP_MB = 128;
const WHAT = 'The calendar';

/** Who an iCalendar file puts on call: at an https address, or in the data folder. */
export const icalSource = (place: string, dataFolder: string): GroupSource => ({
  shifts: async (window) => expandApart(await textOf(place, dataFolder), window, 'shifts'),
});

/** The times of a calendar, such as those in which nothing may widen. @throws SourceFailure */
export async function calendarTimes(
  place: string,
  dataFolder: string,
  window: Window,
): Promise<{ from: Date; to: Date }[]> {
  const shifts = await expandApart(await textOf(place, dataFolder), window, 'times');
  return shifts.flatMap(({ from, until }) => (from && until ? { from, to: until } : []));
}

const textOf = (place: string, dataFolder: string): Promise<string> =>
  /^[a-z][a-z0-9+.-]*:\/\//i.test(place) ? fetchCalendar(place) : readCalendar(place, dataFolder);

async function fetchCalendar(address: string): Promise<string> {
  const { status, text } = await getText(address, {
    what: WHAT,
    headers: { accept: 'text/calendar' },
    redirectsMax: REDIRECTS_MAX,
  });
  if (status === 200) return text;
  throw new SourceFailure(`${WHAT} answered ${status}: check that its address gives it without signing in`);
}

async function readCalendar(path: string, dataFolder: string): Promise<string> {
  try {
    if (isAbsolute(path))
      throw new SourceFailure(`${WHAT} is not in the data folder: write its path inside of it`);
    const file = await realpath(join(dataFolder, path));
    if (!file.startsWith((await realpath(dataFolder)) + sep))
      throw new SourceFailure(`${WHAT} is not in the data folder: put the file there`);
    if ((await stat(file)).size > ANSWER_BYTES_MAX) throw new SourceFailure(`${WHAT} has more than 1 MiB`);
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof SourceFailure) throw error;
    const code = (error as { code?: unknown }).code ?? 'unknown';
    throw new SourceFailure(`${WHAT} "${path}" cannot be read in the data folder (${code})`, undefined, {
      cause: error,
    });
  }
}

/** What the thread says: that it begins, then one of the others. */
interface Said {
  begun?: true;
  shifts?: Shift[];
  failure?: string;
}

/**
 * In a thread that can be ended: the library never returns for a rule without occurrences such as the 30th of February
 * (kewisch/ical.js#1038), and would take the service with it. Whether time or memory ends first is chance.
 */
function expandApart(text: string, window: Window, what: 'shifts' | 'times'): Promise<Shift[]> {
  const thread = new Worker(new URL('./ical-thread.js', import.meta.url), {
    workerData: { text, window, what },
    resourceLimits: { maxOldGenerationSizeMb: EXPAND_HEAP_MB },
    execArgv: [],
    env: {},
  });
  return new Promise<Shift[]>((resolve, reject) => {
    const fail = (message: string) => reject(new SourceFailure(message));
    const tooMuch = () =>
      fail(`${WHAT} is too much to work out: one of its rules never comes true, or it holds too many shifts`);
    let timer = setTimeout(tooMuch, BEGIN_MS);
    thread.on('message', ({ begun, shifts, failure }: Said) => {
      if (begun) {
        clearTimeout(timer);
        timer = setTimeout(tooMuch, EXPAND_MS);
      } else if (shifts) resolve(shifts);
      else fail(failure ?? `${WHAT} cannot be read`);
    });
    thread.on('error', tooMuch);
    thread.on('exit', () => {
      clearTimeout(timer);
      tooMuch();
    });
  }).finally(() => thread.terminate());
}
