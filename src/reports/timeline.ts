import type { LogRecord } from '../log/read.ts';

/** One thing that happened to a rollout, as the log has it. */
export interface TimelineItem {
  /** The number of its log entry. */
  entry: number;
  at: Date;
  /** Days since the start. */
  day: number;
  kind: string;
  actor: string;
  text: string;
}

interface Body {
  at: string;
  kind: string;
  actor: string;
  data?: Record<string, unknown>;
}

/** The entries of a rollout in words, in their order. */
export function timelineOf(entries: readonly LogRecord[], dayOf: (at: Date) => number): TimelineItem[] {
  return entries.map(({ seq, body }) => {
    const { at: time, kind, actor, data = {} } = JSON.parse(body) as Body;
    const at = new Date(time);
    return { entry: seq, at, day: dayOf(at), kind, actor, text: wordsOf(kind, data) };
  });
}

function wordsOf(kind: string, data: Readonly<Record<string, unknown>>): string {
  const { segment, metric, before, verdict, step, version, because, reason, digest, release } = data;
  const what = kind.replace(/^rollout\./, '').replaceAll(/[_-]/g, ' ');
  const where = segment === undefined ? '' : ` ${segment === '*' ? 'all segments together' : segment}`;
  if (kind === 'rollout.verdict')
    return `${metric}${where}: ${typeof before === 'string' ? `${before} → ` : ''}${verdict}`;
  const more = [
    step !== undefined && `step ${step}`,
    release !== undefined && `release ${release}`,
    version !== undefined && `build ${version}`,
    typeof digest === 'string' && `digest ${digest.slice(0, 16)}`,
    because ?? reason,
  ].filter((part) => part !== undefined && part !== false && part !== null);
  return `${what}${where}${more.length > 0 ? `: ${more.join(', ')}` : ''}`;
}
