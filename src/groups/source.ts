import type { Group } from '../domain/agent.ts';

export const SOURCE_KINDS = ['slack', 'pagerduty', 'ical'] as const;
export type SourceKind = (typeof SOURCE_KINDS)[number];

/** Somebody as a source knows them: a Slack user, an e-mail address, or words written into a calendar. */
export type Who = { slack: string } | { email: string } | { name: string };

/** Who counts, from when until when; without times: always. `from` is the first moment, `until` the first after it. */
export interface Shift {
  who: Who;
  from?: Date;
  until?: Date;
}

export interface Window {
  from: Date;
  to: Date;
}

/** Where the people of a live group come from. */
export interface GroupSource {
  /**
   * Every shift that touches the window, in no order. An empty answer means that there is nobody: what cannot be read or
   * understood whole is a failure.
   * @throws SourceFailure
   */
  shifts(window: Window): Promise<Shift[]>;
}

/** Which source a live group names; `id` tells it from every other of its kind. */
export interface SourceRef {
  kind: SourceKind;
  /** Slack's or PagerDuty's id, or the place of a calendar (which may hold a secret). */
  id: string;
}

/** `undefined`: the group lists its people itself. */
export function sourceOf({ slackGroup, schedule }: Group): SourceRef | undefined {
  if (slackGroup !== undefined) return { kind: 'slack', id: slackGroup };
  if (schedule === undefined) return undefined;
  return 'pagerduty' in schedule
    ? { kind: 'pagerduty', id: schedule.pagerduty }
    : { kind: 'ical', id: schedule.ical };
}

/** Shifts of one source that are taken at most: what says more is no schedule. */
export const SHIFTS_MAX = 5_000;
