import type { ServerResponse } from 'node:http';
import { openWebServer } from '../support/web-server.ts';

export interface FakeOncall {
  schedule: string;
  email: string;
  /** Absent: on call without end. */
  start?: string;
  end?: string;
}

/** What PagerDuty answers instead, once. */
export type FakeFault = { status: number; headers?: Record<string, string>; body?: unknown } | 'drop';

export interface FakePagerDuty extends AsyncDisposable {
  url: string;
  oncalls: FakeOncall[];
  /** One for each question to come; `undefined` answers it. */
  faults: (FakeFault | undefined)[];
  /** Query strings, in order. */
  asked: string[];
}

export const FAKE_PAGERDUTY_TOKEN = 'pagerduty-token-of-tests';

/** `GET /oncalls` of PagerDuty's REST API, as documented: its key, its media type, its filters, its pages. */
export async function openFakePagerDuty(pageMax = 100): Promise<FakePagerDuty> {
  const fake: Omit<FakePagerDuty, 'url' | typeof Symbol.asyncDispose> = {
    oncalls: [],
    faults: [],
    asked: [],
  };
  const server = await openWebServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://pagerduty.test');
    fake.asked.push(url.search);
    const fault = fake.faults.shift();
    if (fault === 'drop') return void request.socket.destroy();
    if (fault) return send(response, fault.status, fault.body ?? { error: {} }, fault.headers);
    if (request.headers.authorization !== `Token token=${FAKE_PAGERDUTY_TOKEN}`)
      return send(response, 401, { error: {} });
    if (request.headers.accept !== 'application/vnd.pagerduty+json;version=2')
      return send(response, 406, { error: {} });
    if (url.pathname !== '/oncalls') return send(response, 404, { error: {} });
    send(response, 200, page(fake.oncalls, url.searchParams, pageMax));
  });
  return Object.assign(fake, server);
}

function page(oncalls: readonly FakeOncall[], query: URLSearchParams, pageMax: number): unknown {
  const [since = '', until = ''] = [query.get('since') ?? '', query.get('until') ?? ''];
  const schedules = query.getAll('schedule_ids[]');
  const offset = Number(query.get('offset'));
  const limit = Math.min(Number(query.get('limit')), pageMax);
  const found = oncalls.filter(
    ({ schedule, start, end }) =>
      (schedules.length === 0 || schedules.includes(schedule)) &&
      (end === undefined || Date.parse(end) > Date.parse(since)) &&
      (start === undefined || Date.parse(start) < Date.parse(until)),
  );
  const whole = query.getAll('include[]').includes('users');
  return {
    oncalls: found.slice(offset, offset + limit).map(({ schedule, email, start, end }) => ({
      escalation_policy: { id: 'PESC', type: 'escalation_policy_reference' },
      escalation_level: 1,
      schedule: { id: schedule, type: 'schedule_reference' },
      user: { id: `P${email}`, ...(whole ? { type: 'user', email } : { type: 'user_reference' }) },
      start: start ?? null,
      end: end ?? null,
    })),
    limit,
    offset,
    more: offset + limit < found.length,
    total: null,
  };
}

function send(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}
