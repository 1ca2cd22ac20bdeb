import { type FileHandle, open } from 'node:fs/promises';
import { checkChain } from '../domain/log-chain.ts';
import type { ApiClient } from './client.ts';
import { CliError } from './failure.ts';
import { entriesAfter, type LogHead, PAGE, readCheckpoint } from './verify-log.ts';
import type { LogRecord } from './wire.ts';

const LINE_FEED = 10;
const TAIL_BYTES = 65_536;
const LINE_BEGINS = '{"seq":';

/** What a file of the log holds now. */
export interface Exported extends LogHead {
  file: string;
  /** Its first entry. */
  begins: number;
  /** How many of them are new. */
  written: number;
}

/**
 * Writes the log to a file, an entry a line, up to its head of now. A file that is there is gone on with: a line that was
 * not written to its end is written again. Every hash is recomputed, from the last one that the file holds.
 * @throws CliError `usage` for a file that holds something else, `unverified` where the log does not go on from it
 */
export async function exportLog(
  api: ApiClient,
  file: string,
  signal: AbortSignal,
  onPage: (seq: number) => void,
): Promise<Exported> {
  const { seq: head, from: begin } = await readCheckpoint(api);
  const handle = await open(file, 'a+', 0o600);
  try {
    const { first, last } = await heldBy(handle, file);
    if (last && last.seq < begin.seq) throw gone(file, last.seq, begin.seq);
    let place: LogHead = last ?? { seq: begin.seq, hash: begin.hash };
    const start = place.seq;
    while (place.seq < head && !signal.aborted) {
      const entries = await entriesAfter(api, place.seq, Math.min(PAGE, head - place.seq));
      const { fault, ...reached } = checkChain(entries, place);
      if (fault || entries.length === 0) {
        const { from: now } = await readCheckpoint(api);
        if (now.seq > place.seq) throw gone(file, place.seq, now.seq);
        throw doesNotGoOn(file, fault?.seq ?? place.seq + 1, place.seq);
      }
      await handle.appendFile(entries.map((entry) => `${JSON.stringify(lineOf(entry))}\n`).join(''));
      place = reached;
      onPage(place.seq);
    }
    await handle.sync();
    return { file, begins: first?.seq ?? start + 1, ...place, written: place.seq - start };
  } finally {
    await handle.close();
  }
}

const lineOf = ({ seq, hash, body }: LogRecord): LogRecord => ({ seq, hash, body });

/** The first and the last entry of a file, cut after the last whole line. */
async function heldBy(
  handle: FileHandle,
  file: string,
): Promise<{ first?: LogHead | undefined; last?: LogHead | undefined }> {
  const { size } = await handle.stat();
  if (size === 0) return {};
  const ending = await untilFound(size, async (bytes) => {
    const read = await readAt(handle, size - bytes, bytes);
    const end = read.lastIndexOf(LINE_FEED);
    const begin = end > 0 ? read.lastIndexOf(LINE_FEED, end - 1) : -1;
    if (begin < 0 && bytes < size) return undefined;
    return { whole: size - bytes + end + 1, line: read.subarray(begin + 1, end + 1) };
  });
  if (ending.whole === 0) {
    const begun = await readAt(handle, 0, Math.min(size, LINE_BEGINS.length));
    if (!LINE_BEGINS.startsWith(begun.toString('utf8'))) throw holdsOther(file);
    await handle.truncate(0);
    return {};
  }
  const beginning = await untilFound(ending.whole, async (bytes) => {
    const read = await readAt(handle, 0, bytes);
    const end = read.indexOf(LINE_FEED);
    return end < 0 ? undefined : read.subarray(0, end);
  });
  const held = { first: headOf(beginning, file), last: headOf(ending.line, file) };
  await handle.truncate(ending.whole);
  return held;
}

/** Looks into ever more bytes of a file, until what is looked for is among them, or all of it. */
async function untilFound<T>(size: number, look: (bytes: number) => Promise<T | undefined>): Promise<T> {
  for (let bytes = Math.min(size, TAIL_BYTES); ; bytes = Math.min(size, bytes * 2)) {
    const found = await look(bytes);
    if (found !== undefined) return found;
    if (bytes === size) throw new Error('a file has changed while it was read');
  }
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

/** @throws CliError `usage` */
function headOf(line: Buffer, file: string): LogHead {
  try {
    const { seq, hash, body } = JSON.parse(line.toString('utf8')) as Partial<LogRecord>;
    if (Number.isSafeInteger(seq) && /^[0-9a-f]{64}$/.test(hash ?? '') && typeof body === 'string')
      return { seq: Number(seq), hash: String(hash) };
  } catch {
    // said below
  }
  throw holdsOther(file);
}

const holdsOther = (file: string): CliError =>
  new CliError('usage', `${file} is there and holds no export of a log`, {
    hint: 'Name another file: nothing was written to this one',
  });

const gone = (file: string, last: number, begin: number): CliError =>
  new CliError('refused', `${file} ends with #${last}, and #${last + 1} to #${begin} were dropped since`, {
    hint: 'Keep it, export to another file, and run it more often than the log is dropped (portcullis retention status)',
  });

const doesNotGoOn = (file: string, seq: number, last: number): CliError =>
  new CliError(
    'unverified',
    `Entry ${seq} does not go on from what is before it: nothing after #${last} was written`,
    {
      hint: `portcullis log verify says where the log was changed; or ${file} is of another log`,
    },
  );
