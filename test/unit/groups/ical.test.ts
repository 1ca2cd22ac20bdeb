import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { icalSource } from '../../../src/groups/ical.ts';
import { SourceFailure } from '../../../src/net/source-failure.ts';
import { openWebServer } from '../../support/web-server.ts';
import { calendar, entry } from './calendars.ts';

const WINDOW = { from: new Date('2026-08-03T00:00:00Z'), to: new Date('2026-08-17T00:00:00Z') };
const TEXT = calendar(entry('SUMMARY:ana', 'DTSTART:20260804T000000Z', 'DTEND:20260805T000000Z'));
const SHIFTS = [
  {
    who: { name: 'ana' },
    from: new Date('2026-08-04T00:00:00Z'),
    until: new Date('2026-08-05T00:00:00Z'),
  },
];

const folder = mkdtempSync(join(tmpdir(), 'portcullis-ical-'));
const inFolder = (place: string) => icalSource(place, folder).shifts(WINDOW);
const failure = async (reading: Promise<unknown>): Promise<string> => {
  const error = await reading.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof SourceFailure)) throw new Error(`not a failure of the source: ${error}`);
  return error.message;
};

describe('a file of the data folder', () => {
  test('is read, also in a folder of its own', async () => {
    mkdirSync(join(folder, 'rotas'));
    writeFileSync(join(folder, 'rotas', 'desk.ics'), TEXT);
    expect(await inFolder('rotas/desk.ics')).toEqual(SHIFTS);
  });

  test('nothing outside of it is, by no path and no link', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'portcullis-outside-'));
    writeFileSync(join(outside, 'desk.ics'), TEXT);
    symlinkSync(join(outside, 'desk.ics'), join(folder, 'link.ics'));
    for (const place of [join(outside, 'desk.ics'), '../../../../../../etc/hostname', 'link.ics', '.'])
      expect(await failure(inFolder(place))).toMatch(/data folder/);
  });

  test('what is not there, or too long, is a failure', async () => {
    expect(await failure(inFolder('nowhere.ics'))).toMatch(/"nowhere.ics" cannot be read .* \(ENOENT\)/);
    writeFileSync(join(folder, 'long.ics'), ' '.repeat(1_048_577));
    expect(await failure(inFolder('long.ics'))).toContain('more than 1 MiB');
  });

  test('a rule that never comes true is ended, and the service works on meanwhile', async () => {
    const rule = 'RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30';
    const never = entry('SUMMARY:ana', 'DTSTART:20260101T000000Z', 'DTEND:20260101T010000Z', rule);
    writeFileSync(join(folder, 'never.ics'), calendar(never));
    let ticks = 0;
    const clock = setInterval(() => ticks++, 20);
    expect(await failure(inFolder('never.ics'))).toContain('never comes true');
    clearInterval(clock);
    expect(ticks).toBeGreaterThan(50);
  });
});

describe('an address', () => {
  /** Reads `/secret-path` of a server; its address is never in a failure. */
  async function reading(answer: RequestListener): Promise<{ shifts?: unknown; failed?: string }> {
    await using server = await openWebServer(answer);
    const source = icalSource(`${server.url}/secret-path`, folder);
    try {
      return { shifts: await source.shifts(WINDOW) };
    } catch (error) {
      if (!(error instanceof SourceFailure)) throw error;
      expect(error.message).not.toMatch(/secret-path|127\.0\.0\.1/);
      return { failed: error.message };
    }
  }
  const redirects =
    (times: number, target = '/again'): RequestListener =>
    (request, response) => {
      const done = Number(new URL(request.url ?? '', 'http://x').searchParams.get('n'));
      if (done < times) response.writeHead(302, { location: `${target}?n=${done + 1}` }).end();
      else response.end(TEXT);
    };

  test('is read, over at most two redirects', async () => {
    expect((await reading((_, response) => response.end(TEXT))).shifts).toEqual(SHIFTS);
    expect((await reading(redirects(2))).shifts).toEqual(SHIFTS);
    expect((await reading(redirects(3))).failed).toContain('more than 2 times');
  });

  test('only https is asked and followed', async () => {
    const failed = await reading(redirects(1, 'http://calendar.test/a.ics'));
    expect(failed.failed).toContain('not https');
    for (const place of [
      'http://calendar.test/a.ics',
      'webcal://calendar.test/a.ics',
      'file:///etc/hostname',
    ])
      expect(await failure(inFolder(place))).toContain('https');
  });

  test('an answer that is none is a failure, never an empty schedule', async () => {
    expect((await reading((_, response) => response.writeHead(404).end(TEXT))).failed).toContain(
      'answered 404',
    );
    expect((await reading((_, response) => response.writeHead(302).end())).failed).toContain('answered 302');
    expect((await reading((_, response) => response.end('Sign in'))).failed).toContain(
      'does not follow iCalendar',
    );
    expect((await reading((_, response) => response.end(TEXT.slice(0, -30)))).failed).toContain(
      'not all of a file',
    );
    expect((await reading((request) => request.socket.destroy())).failed).toContain('cannot be reached');
  });

  test('what never ends is given up: bytes after 1 MiB, silence after 5 s', async () => {
    const endless: RequestListener = (_, response) => {
      const more = () => void response.write(' '.repeat(65_536), (error) => error || setImmediate(more));
      more();
    };
    const dripping: RequestListener = (_, response) => void response.write(TEXT.slice(0, 20));
    const silent: RequestListener = () => {};
    const ends = await Promise.all([reading(endless), reading(dripping), reading(silent)]);
    expect(ends[0].failed).toContain('more than 1 MiB');
    for (const { failed } of ends.slice(1)) expect(failed).toContain('did not answer within 5 s');
  });
});
