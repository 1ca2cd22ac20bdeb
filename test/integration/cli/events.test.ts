import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApi } from '../../../src/api/server.ts';
import { answerAction } from '../../../src/approvals/answer.ts';
import { eventLine } from '../../../src/cli/commands/events.ts';
import { shortId } from '../../../src/cli/text/ids.ts';
import { logHead } from '../../../src/events/read.ts';
import { disable } from '../../../src/switches/disable.ts';
import { approverActor, givenAdopted, givenPendingAction, onCallActor } from '../../support/fixtures.ts';
import { type CliResult, tooLong } from '../../unit/cli/cli-io.ts';
import { type CliHarness, startCliHarness } from './harness.ts';

let cli: CliHarness;

beforeAll(async () => {
  cli = await startCliHarness();
  await givenAdopted(cli.services);
});
afterAll(() => cli.close());

/** The command, until its lines satisfy `enough`; then Ctrl-C. */
function following(enough: (lines: string[]) => boolean, ...argv: string[]) {
  const interrupt = new AbortController();
  const lines: string[] = [];
  const ended: Promise<CliResult> = cli.runWith(
    {
      interrupted: () => interrupt.signal,
      onOut(text) {
        lines.push(text.trimEnd());
        if (enough(lines)) interrupt.abort();
      },
    },
    ...['events', ...argv],
  );
  return { lines, ended };
}

test('one line an event, in 80 columns, from the first on; then it says how to go on', async () => {
  const { id } = await givenPendingAction(cli.services);
  await answerAction(cli.services, approverActor(), { id, verdict: 'deny', reason: 'no' });
  await disable(cli.services, onCallActor(), { scope: 'tool/desk/refund', reason: 'fire' });
  await cli.sequence();
  const { ended } = following((lines) => lines.length === 3, '--after', '0');
  const { code, out, err } = await ended;
  expect(code).toBe(0);
  expect(out.split('\n').slice(0, 3)).toEqual([
    expect.stringMatching(new RegExp(`^\\d\\d:00:00 action\\.asked      ${shortId(id)} pending desk`)),
    expect.stringMatching(new RegExp(`^\\d\\d:00:00 action\\.denied     ${shortId(id)} desk by ana: "no"$`)),
    expect.stringMatching(/^\d\d:00:00 switch\.disabled +tool\/desk\/refund desk by cleo: "fire"$/),
  ]);
  expect(tooLong(out)).toEqual([]);
  expect(err).toMatch(/^To go on from here: portcullis events --after \d+\n$/);
});

test('a service that is restarted is found again; with --output json each line is one event, each once', async () => {
  const head = String(await logHead(cli.services.db.sql));
  const argv = ['--kinds', 'action', '--after', head, '--output', 'json'];
  const { lines, ended } = following((all) => all.length === 2, ...argv);
  await givenPendingAction(cli.services);
  await cli.sequence();
  await expect.poll(() => lines.length).toBe(1);
  await cli.stopApi();
  const { id } = await givenPendingAction(cli.services);
  await cli.sequence();
  const again = await createApi(cli.services);
  try {
    await again.listen({ host: '127.0.0.1', port: Number(new URL(cli.url).port) });
    expect(await ended).toMatchObject({ code: 0 });
    const events = lines.map((line) => JSON.parse(line) as { seq: number; action: string });
    expect(events[1]).toMatchObject({ action: id, kind: 'action.asked', state: 'pending' });
    expect(new Set(events.map(({ seq }) => seq)).size).toBe(2);
  } finally {
    await again.close();
  }
});

test('what cannot be followed is said at once', async () => {
  expect(await cli.run('events', '--after', 'x')).toMatchObject({ code: 2 });
  const away = await cli.run('events');
  expect(away).toMatchObject({ code: 4 });
  expect(away.err).toContain('Start it with `portcullis up`');
});

test('a line holds whatever it is given: long names are cut, and nothing steers the terminal', () => {
  const now = new Date('2026-01-02T12:00:00Z');
  const event = {
    seq: 1,
    at: '2026-01-01T12:00:00Z',
    kind: 'action.superseded',
    agent: 'a'.repeat(63),
    action: '0193a7c4-5e2f-7abc-9d4e-2f7a1c1f0b11',
    actor: '\u001b[31mred\nsecond line\u202e',
  };
  const line = eventLine(event, 80, now);
  expect(line).toMatch(/^26-01-01 action\.superseded 0193a7c4-5e2f a+…$/);
  expect(line.length).toBeLessThanOrEqual(80);
  const short = eventLine({ ...event, agent: 'desk' }, 160, now);
  for (const steering of ['\u001b', '\u202e', '\n']) expect(short).not.toContain(steering);
  expect(short).toContain('second line');
});
