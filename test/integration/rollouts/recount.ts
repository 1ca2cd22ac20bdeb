import { writtenLog } from '../../support/log.ts';
import type { TestServices } from '../../support/services.ts';

interface Entry {
  kind: string;
  ref: string | null;
  data: Record<string, unknown>;
}

interface Event {
  day: number;
  subject: string;
  /** What became of each action of the subject-day. */
  actions: Map<string, { state: string; began: boolean }>;
  harm: boolean;
}

/**
 * Counts the candidate's evidence of a metric from the log and nothing else, as a stranger would who has read
 * STATISTICS 4.2 and knows none of the code.
 */
export async function recount(services: TestServices, metric: string) {
  const rows = await writtenLog(services.db.sql).select(['kind', 'ref', 'body']).orderBy('n').execute();
  const entries: Entry[] = rows.map(({ kind, ref, body }) => ({ kind, ref, data: JSON.parse(body).data }));
  const asked = new Map<string, Record<string, unknown>>();
  const begunOn = new Map<string, number>();
  const state = new Map<string, string>();
  const harmful = new Set<string>();
  for (const { kind, ref, data } of entries) {
    if (ref === null) continue;
    const counts = (asked.get(ref)?.counts ?? {}) as Record<string, string>;
    if (kind === 'action.asked') {
      asked.set(ref, data);
      state.set(ref, data.outcome === 'pending' ? 'pending' : 'approved');
    }
    if (typeof data.to === 'string') state.set(ref, data.to);
    if (kind === 'action.begun') begunOn.set(ref, Number(data.day));
    if ((kind === 'action.denied' || kind === 'action.edited') && counts[metric] === 'asked')
      harmful.add(ref);
    if (kind === 'action.corrected' && (data.metrics as string[]).includes(metric)) harmful.add(ref);
    if (kind === 'outcome.recorded' && data.metric === metric && Number(data.value) > 0) harmful.add(ref);
  }
  const events = new Map<string, Event>();
  for (const [id, data] of asked) {
    const from = ((data.counts ?? {}) as Record<string, string>)[metric];
    const day = from === 'asked' ? Number(data.day) : begunOn.get(id);
    if (from === undefined || day === undefined || data.arm !== 'candidate') continue;
    const key = JSON.stringify([data.segment, data.generation, day, data.subject]);
    const event = events.get(key) ?? { day, subject: String(data.subject), actions: new Map(), harm: false };
    event.actions.set(id, { state: state.get(id) ?? '', began: from === 'asked' });
    event.harm ||= harmful.has(id);
    events.set(key, event);
  }
  const days = new Map<number, { day: number; events: number; harms: number }>();
  for (const { day, actions, harm } of events.values()) {
    const bears = [...actions.values()].some(
      ({ state: now, began }) =>
        ['executing', 'executed', 'unknown'].includes(now) ||
        (began && ['pending', 'approved'].includes(now)),
    );
    if (!bears && !harm) continue;
    const bucket = days.get(day) ?? { day, events: 0, harms: 0 };
    days.set(day, { day, events: bucket.events + 1, harms: bucket.harms + Number(harm) });
  }
  return [...days.values()].sort((a, b) => a.day - b.day);
}
