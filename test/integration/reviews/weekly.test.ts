import { expect, test } from 'vitest';
import { proposeCase } from '../../../src/cases/propose.ts';
import { readCaseValue } from '../../../src/domain/manifest/manifest.ts';
import type { WeekSnapshot } from '../../../src/domain/review/weekly.ts';
import { makeWeeklyReview, storedReview } from '../../../src/reviews/make.ts';
import { answerReview, previewReview, verifyReview, weeklyReview } from '../../../src/reviews/weekly.ts';
import { judgeDue } from '../../../src/rollouts/judge.ts';
import { actorOf, managerActor } from '../../support/fixtures.ts';
import { describeWithServices, type TestServices } from '../../support/services.ts';
import { givenCancelled, givenExposed, report } from '../rollouts/support.ts';

const DAY_MS = 86_400_000;
const auditor = actorOf('auditor');

/** One that is red on what is in force, one that is green, and one that nobody admitted yet. */
async function givenCases(services: TestServices): Promise<void> {
  const now = services.clock.now();
  const expected = { red: { atLeast: 'ask:2' }, green: { atMost: 'ask:1' }, idea: { atMost: 'ask:1' } };
  for (const [name, expect] of Object.entries(expected)) {
    const read = readCaseValue({
      case: name,
      agent: 'desk',
      kind: 'ask',
      says: 'A cancellation runs with nobody asked',
      given: { tool: 'cancel', args: { id: 'made-up-1' }, attributes: { tier: 'gold' } },
      expect,
      ...(name === 'red' && { twins: ['green'] }),
    });
    if (!read.ok) throw new Error(JSON.stringify(read.problems));
    await proposeCase(services, managerActor(), read.value);
  }
  await services.db.sql
    .updateTable('regression_case')
    .set({ state: 'admitted', green_digest: 'of a release', admitted_at: now })
    .where('name', '<>', 'idea')
    .execute();
  const until = new Date(now.getTime() + 30 * DAY_MS);
  await services.db.sql
    .insertInto('case_waiver')
    .values({
      agent: 'desk',
      case_name: 'red',
      until,
      person: 'olga',
      reason: 'known',
      at: now,
      rollout_id: 'x',
    })
    .execute();
}

describeWithServices('the page of a week', (make) => {
  test('is made once of a whole week, is verified, changes by late data into another version, and is read', async () => {
    const services = await make();
    await givenExposed(services);
    for (let n = 0; n < 9; n++) await report(services, await givenCancelled(services, `c-${n}`), 1);
    const late = await givenCancelled(services, 'late');
    await givenCases(services);
    await judgeDue(services);
    // A partial week is a preview, and is kept nowhere.
    const preview = await previewReview(services, auditor);
    expect(preview.page.sections[1]?.lines[0]?.text).toContain('desk: review');
    expect(await makeWeeklyReview(services)).toHaveLength(1);
    services.clock.advance(7 * DAY_MS);
    const [made, ...more] = await makeWeeklyReview(services);
    if (!made) throw new Error('no page');
    expect(more).toEqual([]);
    expect(await makeWeeklyReview(services)).toEqual([]);
    const gold = made.snapshot.cells.find(({ segment }) => segment === 'gold');
    // Guard: marksOf(); what happened is marked in the week in which it did.
    expect(gold?.weeks.flatMap(({ marks = [] }) => marks)).toEqual(['released', 'rolled_back']);
    const { page, markdown } = await weeklyReview(services, auditor, made.week);
    expect(page.sections.map(({ title }) => title)).toEqual([
      'Period',
      'Decisions needed',
      'Follow-ups',
      'What changed',
      'Regressions by segment',
      'Incidents by mechanism',
      'Business metrics by segment',
      'Approvers',
      'Unresolved risks',
      'Next week',
    ]);
    expect(page.sections[4]?.table?.rows).toEqual([
      expect.objectContaining({
        colour: 'worse',
        cells: expect.arrayContaining(['gold', 'wrong', 'breach', '10']),
      }),
    ]);
    expect(markdown).toContain('| desk | gold | wrong | breach |');
    // Guard: weekCases in weekFacts. Nothing asks a person for what gold cancels: one is red, one green, one only added.
    expect(page.sections[5]?.lines[1]?.text).toBe(
      'Cases: 3 added, 2 admitted, 1 red in force, 1 waived, 0 overdue.',
    );
    const verified = await verifyReview(services, auditor, made.week);
    expect(verified).toMatchObject({ snapshotIntact: true, pageSame: true, differences: [] });
    // An outcome of that week comes late: what was frozen stays, and another version says what is different.
    await report(services, late, 1);
    await judgeDue(services);
    const { differences } = await verifyReview(services, auditor, made.week);
    expect(differences).toEqual([
      expect.stringMatching(/wrong in gold: known 9 became 10/),
      expect.anything(),
    ]);
    const [renewed] = await makeWeeklyReview(services);
    expect(renewed).toMatchObject({ week: made.week, version: 2, difference: differences });
    expect(await storedReview(services.db.sql, made.week, 1)).toMatchObject({ digest: made.digest });
    // Guard: readersOf in answerReview.
    await expect(
      answerReview(services, actorOf('approver', { person: 'ana' }), {
        week: made.week,
        function: 'engineering',
      }),
    ).rejects.toMatchObject({ code: 'forbidden', message: expect.stringContaining('olga may') });
    await answerReview(services, managerActor(), {
      week: made.week,
      function: 'engineering',
      comment: 'Seen',
    });
    expect((await weeklyReview(services, auditor, made.week)).answers).toMatchObject([
      { function: 'engineering', person: 'olga', comment: 'Seen' },
    ]);
    // Three weeks in which nobody made one: one page, which says so, and who had not read the one before.
    services.clock.advance(28 * DAY_MS);
    const pages = await makeWeeklyReview(services);
    expect(pages).toHaveLength(1);
    const snapshot = pages[0]?.snapshot as WeekSnapshot;
    expect(snapshot.missed).toHaveLength(3);
    expect(snapshot.unread).toEqual(['operations']);
    await expect(weeklyReview(services, auditor, snapshot.missed[0] ?? '')).rejects.toMatchObject({
      code: 'not_found',
    });
  });

  test('that was tampered with is told', async () => {
    const services = await make();
    const [made] = await makeWeeklyReview(services);
    if (!made) throw new Error('no page');
    await services.db.sql
      .updateTable('weekly_review')
      .set({ snapshot: JSON.stringify({ ...made.snapshot, missed: ['2020-W01'] }) })
      .execute();
    // Guard: the digest of the snapshot.
    expect(await verifyReview(services, auditor, made.week)).toMatchObject({
      snapshotIntact: false,
      pageSame: false,
    });
  });
});
