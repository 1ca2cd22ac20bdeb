import type { LogRecord } from '../wire.ts';
import { formatTime } from './format.ts';
import { shortId } from './ids.ts';
import { command, fields, plain, sections, wrap } from './render.ts';

/** What an entry says; `data` depends on its kind. */
export interface LogBody {
  at: string;
  kind: string;
  agent?: string;
  ref?: string;
  actor: string;
  data?: Record<string, unknown>;
}

export const bodyOf = (record: LogRecord): LogBody => JSON.parse(record.body) as LogBody;

const CONTINUED = '\n    ';

/** Two lines an entry: what happened, and what it was about. */
export function entryText(record: LogRecord, width: number): string {
  const { at, kind, agent, ref, actor, data } = bodyOf(record);
  const first = `#${record.seq} ${formatTime(at)}  ${kind}`;
  const about = [agent, ref === undefined || ref === agent ? undefined : shortId(ref), `by ${actor}`]
    .filter((part) => part !== undefined)
    .join('  ');
  const why = typeof data?.reason === 'string' ? `  "${data.reason}"` : '';
  return `${plain(first)}${CONTINUED}${wrap(about + why, width - 4).join(CONTINUED)}`;
}

/** Entries in order. */
export function entriesText(records: readonly LogRecord[], width: number): string {
  if (records.length === 0) {
    return `No entries. Everything decided and done is logged, from the first manifest on:\n${command('portcullis apply agent.yaml release-1.yaml')}`;
  }
  return records.map((record) => entryText(record, width)).join('\n');
}

/** One entry with all it holds. */
export function entryDetails(record: LogRecord, width: number): string {
  const { at, kind, agent, ref, actor, data } = bodyOf(record);
  return sections(
    fields(
      [
        ['Entry', `#${record.seq}`],
        ['At', formatTime(at)],
        ['Kind', kind],
        ['Agent', agent],
        ['About', ref],
        ['By', actor],
        ['Data', data && JSON.stringify(data, null, 2)],
        ['Hash', record.hash],
      ],
      width,
    ),
  );
}
