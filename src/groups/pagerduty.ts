import { z } from 'zod';
import { type Got, getText } from '../net/get-text.ts';
import { SourceFailure } from '../net/source-failure.ts';
import { type GroupSource, SHIFTS_MAX, type Shift, type Window } from './source.ts';

export interface PagerDutyOptions {
  /** A read-only REST API key. */
  token: string;
  /** Accounts in the EU: https://api.eu.pagerduty.com. */
  apiUrl?: string;
}

const API_URL = 'https://api.pagerduty.com';
const PAGE_SIZE = 100;
const SECOND_MS = 1_000;

const oncallsSchema = z.object({
  oncalls: z.array(
    z.object({
      user: z.object({ email: z.email() }),
      schedule: z.object({ id: z.string() }).nullish(),
      start: z.coerce.date().nullish(),
      end: z.coerce.date().nullish(),
    }),
  ),
  more: z.boolean(),
});
type Oncall = z.infer<typeof oncallsSchema>['oncalls'][number];

/**
 * Who is on call by a PagerDuty schedule, overrides included (`GET /oncalls`). PagerDuty knows on-calls only of schedules
 * that an escalation policy uses.
 */
export const pagerdutySource = (options: PagerDutyOptions, scheduleId: string): GroupSource => ({
  async shifts(window) {
    const shifts: Shift[] = [];
    for (;;) {
      const { oncalls, more } = await onePage(options, scheduleId, window, shifts.length);
      shifts.push(...oncalls.map((oncall) => shiftFrom(oncall, scheduleId)));
      if (!more) return shifts;
      if (oncalls.length === 0 || shifts.length > SHIFTS_MAX)
        throw new SourceFailure(`PagerDuty names more than ${SHIFTS_MAX} shifts for schedule ${scheduleId}`);
    }
  },
});

async function onePage(
  { token, apiUrl = API_URL }: PagerDutyOptions,
  scheduleId: string,
  { from, to }: Window,
  offset: number,
): Promise<z.infer<typeof oncallsSchema>> {
  const query = new URLSearchParams([
    ['schedule_ids[]', scheduleId],
    ['include[]', 'users'],
    ['since', from.toISOString()],
    ['until', to.toISOString()],
    ['time_zone', 'UTC'],
    ['limit', String(PAGE_SIZE)],
    ['offset', String(offset)],
  ]);
  const got = await getText(`${apiUrl.replace(/\/$/, '')}/oncalls?${query}`, {
    what: 'PagerDuty',
    headers: { accept: 'application/vnd.pagerduty+json;version=2', authorization: `Token token=${token}` },
  });
  if (got.status !== 200) throw refusal(got, scheduleId);
  const page = oncallsSchema.safeParse(jsonOf(got.text));
  if (page.success) return page.data;
  const where = page.error.issues[0]?.path.join('.') || 'its answer';
  throw new SourceFailure(`PagerDuty answered what is not understood (${where}) for schedule ${scheduleId}`);
}

/** An on-call of another schedule would make approvers of people nobody named. */
function shiftFrom({ user, schedule, start, end }: Oncall, scheduleId: string): Shift {
  if (schedule?.id !== scheduleId)
    throw new SourceFailure(
      `PagerDuty answered for another schedule than ${scheduleId}: its answer is not used`,
    );
  return { who: { email: user.email }, from: start ?? undefined, until: end ?? undefined };
}

function refusal({ status, headers }: Got, scheduleId: string): SourceFailure {
  const said = `PagerDuty answered ${status} for schedule ${scheduleId}`;
  if (status === 429) {
    const seconds = Number(headers.get('ratelimit-reset') ?? headers.get('retry-after') ?? Number.NaN);
    const waitMs = Number.isFinite(seconds) && seconds >= 0 ? seconds * SECOND_MS : undefined;
    return new SourceFailure(`${said}: too many requests, it is asked again later`, waitMs);
  }
  if (status === 401 || status === 403)
    return new SourceFailure(
      `${said}: set PORTCULLIS_PAGERDUTY_TOKEN to a REST API key that may read schedules`,
    );
  if (status === 400 || status === 404) return new SourceFailure(`${said}: check the id of the schedule`);
  return new SourceFailure(`${said}: it is asked again`);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
