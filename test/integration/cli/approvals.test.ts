import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { editAction } from '../../../src/approvals/edit.ts';
import { shortId } from '../../../src/cli/text/ids.ts';
import type { WireStats } from '../../../src/cli/wire.ts';
import { approverActor, givenAsked, givenPendingAction } from '../../support/fixtures.ts';
import { tooLong } from '../../unit/cli/cli-io.ts';
import { row } from '../actions/support.ts';
import { answer, givenPeople } from '../approvals/people.ts';
import { type CliHarness, type Run, startCliHarness } from './harness.ts';

let cli: CliHarness;
let [ana, ben, finn, olga]: Run[] = [];
const asked = () => givenPendingAction(cli.services);
const stateOf = async (action: { id: string }) => (await row(cli.services, action)).state;
const run = (who: Run | undefined, ...argv: string[]) => (who as Run)('approvals', ...argv);
const replay = (who: Run | undefined, ...argv: string[]) => (who as Run)('replay', '--release', ...argv);

beforeAll(async () => {
  cli = await startCliHarness();
  await givenPeople(cli.services);
  ana = await cli.as('ana', 'approver');
  ben = await cli.as('ben', 'approver');
  finn = await cli.as('finn', 'approver');
  olga = await cli.as('olga', 'release-manager', 'auditor');
});
afterAll(() => cli.close());

describe('before anything was asked', () => {
  test('every list and number says so, and what to do next', async () => {
    expect((await run(ana, 'list')).out).toContain('Nothing waits for you');
    expect((await run(ana, 'stats')).out).toContain('Nobody was asked anything');
    expect((await run(ana, 'reviews')).out).toContain('Nothing to review');
    expect((await run(ana, 'standing', 'list')).out).toContain('No standing approvals');
    expect((await (ana as Run)('deputy', 'list', 'desk')).out).toContain('answers for themselves');
  });
});

describe('approve and deny', () => {
  test('list shows what waits for me and not what I may not answer', async () => {
    const mine = await asked();
    cli.services.clock.advance(1);
    const forAna = await givenPendingAction(cli.services, { behind: ['ana'] });
    const list = await run(ana, 'list', '--agent', 'desk');
    expect(list.out).toContain(shortId(mine.id));
    expect(list.out).not.toContain(shortId(forAna.id));
    expect(list.flat).toContain('desk: Cancel order R-1');
    expect(list.flat).toContain('expires in 59 min 59 s');
    expect(tooLong(list.out)).toEqual([]);
    await run(ben, 'deny', mine.id, forAna.id, '--reason', 'cleaning up', '--yes');
  });

  test('several at once: shown in full, asked for, answered each by its own id', async () => {
    const note = 'x'.repeat(300);
    const first = await givenPendingAction(cli.services, { args: { id: 'R-1', note, card: '4111-secret' } });
    const second = await asked();
    const like = await run(ana, 'like', first.id);
    expect(like.out.replace(/\s/g, '')).toContain(note);
    expect(like.out).not.toContain('4111-secret');
    expect(like.out).toContain(shortId(second.id));
    expect(tooLong(like.out)).toEqual([]);
    const kept = await cli.runWith({ answers: [false] }, 'approvals', 'approve', first.id, '--like');
    expect(kept).toMatchObject({ code: 1 });
    expect(kept.err).toContain('Approve all 2?');
    expect(kept.err.replace(/\s/g, '')).toContain(note);
    expect(await run(ana, 'approve', first.id, second.id)).toMatchObject({ code: 2 });
    expect(await stateOf(first)).toBe('pending');

    const done = await cli.runWith({ answers: [true] }, 'approvals', 'approve', first.id, '--like');
    expect(done).toMatchObject({ code: 0 });
    expect([await stateOf(first), await stateOf(second)]).toEqual(['approved', 'approved']);
    expect(tooLong(done.out)).toEqual([]);
  });

  test('one that may not be answered keeps none of the others back, and the exit code says so', async () => {
    const mine = await asked();
    const forAna = await givenPendingAction(cli.services, { behind: ['ana'] });
    const result = await run(ana, 'approve', forAna.id, mine.id, '--yes', '--output', 'json');
    expect(result.code).toBe(1);
    expect(result.json().results).toEqual([
      { id: forAna.id, code: 'not_eligible', message: expect.stringContaining('ana asked for it') },
      { id: mine.id, counted: true, state: 'approved' },
    ]);
    const said = await run(ana, 'approve', mine.id, forAna.id, '--yes');
    expect(said.out).toContain('NOT approved');
    expect(said.flat).toContain('1 of 2 were not approved');
    await run(ben, 'deny', forAna.id, '--reason', 'no', '--yes');
  });

  test('a denial needs a reason, which reaches the agent', async () => {
    const action = await asked();
    expect(await run(ben, 'deny', action.id, '--yes')).toMatchObject({ code: 2 });
    expect(await run(ben, 'deny', action.id, '--reason', 'Wrong guest', '--yes')).toMatchObject({ code: 0 });
    expect(await row(cli.services, action)).toMatchObject({ state: 'denied', deny_reason: 'Wrong guest' });
  });
});

describe('edit', () => {
  test('in an editor: shows the difference, keeps what is redacted, begins the count anew', async () => {
    const action = await givenPendingAction(cli.services, { args: { id: 'R-1', card: '4111-secret' } });
    let opened = '';
    const edited = (text: string) => {
      opened = text;
      return text.replace('R-1', 'R-2');
    };
    const done = await cli.runWith({ answers: [true], edited }, 'approvals', 'edit', action.id);
    expect(JSON.parse(opened)).toEqual({ id: 'R-1', card: '[redacted]' });
    expect(done).toMatchObject({ code: 0 });
    expect(done.err).toContain('~ id: "R-1" → "R-2"');
    expect(done.out).toContain('Changed: Cancel order R-2');
    const { args } = await cli.services.db.sql
      .selectFrom('action_private')
      .select('args')
      .where('action_id', '=', action.id)
      .executeTakeFirstOrThrow();
    expect(JSON.parse(args)).toEqual({ id: 'R-2', card: '4111-secret' });
    const own = await run(ana, 'approve', action.id, '--yes');
    expect(own).toMatchObject({ code: 3 });
    expect(own.err).toContain('somebody else must answer');
    expect(await run(ben, 'approve', action.id, '--yes')).toMatchObject({ code: 0 });
  });

  test('of something that changed meanwhile changes nothing', async () => {
    const { id, args_digest: digest, revision } = await asked();
    const args = { id: 'R-9' };
    const edited = async (text: string) => {
      await editAction(cli.services, approverActor('ben'), { id, args, digest, revision });
      return text.replace('R-1', 'R-2');
    };
    const lost = await cli.runWith({ answers: [true], edited }, 'approvals', 'edit', id);
    expect(lost).toMatchObject({ code: 1 });
    expect(lost.err).toContain('seen_outdated');
    expect(await row(cli.services, { id })).toMatchObject({ summary: 'Cancel order R-9' });
  });

  test.each([
    ['nothing different', ['--args', '{"id": "R-1"}', '--yes'], 1],
    ['what the schema refuses', ['--args', '{"id": 7}', '--yes'], 2],
    ['JSON that readers read differently', ['--args', '{"id": "a", "id": "b"}', '--yes'], 2],
    ['without saying yes', ['--args', '{"id": "R-2"}'], 2],
    ['without arguments and without a terminal', [], 2],
  ])('%s: nothing is changed', async (_, options, code) => {
    const action = await asked();
    expect(await run(ana, 'edit', action.id, ...options)).toMatchObject({ code });
    expect(await row(cli.services, action)).toMatchObject({ round: 0, state: 'pending' });
    await run(ben, 'deny', action.id, '--reason', 'cleaning up', '--yes');
  });
});

describe('standing approvals', () => {
  test('are given with one approval, listed, used and taken back', async () => {
    const action = await asked();
    const options = ['--standing', 'args.id == "R-1"', '--times', '2', '--for', '30m'];
    const two = await run(
      ana,
      'approve',
      action.id,
      action.id.replace(/^./, (first) => (first === '0' ? '1' : '0')),
      ...options,
      '--yes',
    );
    expect(two.code).toBe(2);
    expect(await run(ana, 'approve', action.id, ...options, '--yes')).toMatchObject({ code: 0 });
    const used = await givenAsked(cli.services);
    expect(used.action).toMatchObject({ state: 'approved', decided_by: 'person' });
    const list = await run(ana, 'standing', 'list');
    expect(list.flat).toContain('args.id == "R-1" used 1 of 2, until');
    expect(tooLong(list.out)).toEqual([]);
    const { standingApprovals } = (await run(ana, 'standing', 'list', '--output', 'json')).json<{
      standingApprovals: { id: string }[];
    }>();
    const id = standingApprovals[0]?.id ?? '';
    const revoked = await run(ben, 'standing', 'revoke', id, '--reason', 'enough');
    expect(revoked.flat).toContain('revoked by ben');
    expect((await run(ana, 'standing', 'list')).out).toContain('No standing approvals');
    expect((await run(ana, 'standing', 'list', '--all')).flat).toContain('revoked by ben');
    expect((await givenAsked(cli.services)).action.state).toBe('pending');
  });
});

describe('broken glass', () => {
  test('is loud, listed, and reviewed by somebody else', async () => {
    const action = await asked();
    const glass = ['approve', action.id, '--break-glass'];
    expect(await run(finn, ...glass, '--yes')).toMatchObject({ code: 2 });
    expect(await run(ana, ...glass, '--reason', 'Fire', '--yes')).toMatchObject({ code: 3 });
    expect(await run(finn, ...glass, '--reason', 'The hotel burns', '--yes')).toMatchObject({ code: 0 });
    const reviews = await run(olga, 'reviews');
    expect(reviews.flat).toContain('finn by cli: "The hotel burns"');
    expect(tooLong(reviews.out.replace(/^ {2}portcullis .*$/m, ''))).toEqual([]);
    const done = await run(olga, 'review', action.id, '--justified', 'no', '--note', 'It was a drill');
    expect(done.out).toContain('Reviewed, NOT justified');
    expect((await run(olga, 'reviews')).out).toContain('Nothing to review');
  });
});

describe('numbers', () => {
  test('stats fit 80 columns and are the same as JSON', async () => {
    cli.services.clock.advance(60_000);
    const { out } = await run(olga, 'stats', '--agent', 'desk');
    expect(tooLong(out)).toEqual([]);
    expect(out).toMatch(/person +asked +approved +denied +edited +deputy +median +under 3 s/);
    const stats = (await run(olga, 'stats', '--days', '30', '--output', 'json')).json<WireStats>();
    expect(stats).toMatchObject({ days: 30, breakGlass: { count: 1, reviewed: 1, unjustified: 1 } });
    expect(await run(olga, 'stats', '--days', 'x')).toMatchObject({ code: 2 });
  });

  test('replay says what would run unasked although people stopped it', async () => {
    cli.services.clock.advance(1);
    const action = await asked();
    cli.services.clock.advance(1);
    await answer(cli.services, action, 'ben', { verdict: 'deny' });
    writeFileSync(
      join(cli.cwd, 'next.yaml'),
      'agent: desk\nrelease: 5\ngrants:\n  - { tool: cancel, approval: none }\n',
    );
    const { out, flat, code } = await replay(olga, 'next.yaml', '--since', '7d');
    expect(code).toBe(0);
    expect(flat).toContain('WOULD HAVE RUN UNASKED');
    expect(out).toMatch(new RegExp(`${shortId(action.id)} +cancel +denied`));
    expect(flat).toContain('Nothing was changed.');
    expect(tooLong(out)).toEqual([]);
    expect(await replay(olga, 'agent.yaml')).toMatchObject({ code: 2 });
    expect(await replay(ben, 'next.yaml')).toMatchObject({ code: 3 });
  });
});
