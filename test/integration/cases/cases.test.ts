import { beforeAll, expect, test } from 'vitest';
import { applyAgent } from '../../../src/agents/apply.ts';
import { admitCase } from '../../../src/cases/admit.ts';
import { expectOtherwise, retireCase, setCaseAside } from '../../../src/cases/amend.ts';
import { caseGreenInForce } from '../../../src/cases/guard.ts';
import { proposeCase } from '../../../src/cases/propose.ts';
import { runCases } from '../../../src/cases/run.ts';
import { suiteOf } from '../../../src/cases/store.ts';
import type { RegressionCase } from '../../../src/domain/cases/case.ts';
import { readCaseValue } from '../../../src/domain/manifest/manifest.ts';
import { classifyIncident } from '../../../src/incidents/classify.ts';
import { reportIncident } from '../../../src/incidents/report-one.ts';
import { adoptRelease } from '../../../src/releases/adopt.ts';
import { rolloutFacts } from '../../../src/rollouts/facts.ts';
import { completeRollout } from '../../../src/rollouts/moves.ts';
import { startRollout } from '../../../src/rollouts/start.ts';
import {
  AGENT_YAML,
  actorOf,
  agentFrom,
  givenAdopted,
  givenRelease,
  managerActor,
  RELEASE_2_YAML,
  RELEASE_YAML,
} from '../../support/fixtures.ts';
import { describeWithServices, type TestServices } from '../../support/services.ts';

const DAY_MS = 86_400_000;
const mia = () => actorOf('release-manager', { person: 'mia' });
const tom = () => actorOf('release-manager', { person: 'tom' });

function given(name: string, more: Record<string, unknown>): RegressionCase {
  const read = readCaseValue({
    case: name,
    agent: 'desk',
    kind: 'ask',
    says: 'A cancellation runs with nobody asked',
    given: { tool: 'cancel', args: { id: 'made-up-1' }, attributes: { tier: 'gold' } },
    ...more,
  });
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.value;
}
const floor = (name: string, twins = ['possible']) => given(name, { expect: { atLeast: 'ask:1' }, twins });
const twin = () => given('possible', { expect: { atMost: 'ask:1' } });

describeWithServices('regression cases', (make) => {
  let services: TestServices;
  const admit = (name: string, redOn = '2', greenOn = '1') =>
    admitCase(services, tom(), { agent: 'desk', name, redOn, greenOn });
  const run = (release: string) => runCases(services, tom(), { agent: 'desk', release });

  beforeAll(async () => {
    services = await make();
    const { agent } = await givenAdopted(services);
    await givenRelease(services, agent, RELEASE_2_YAML);
  });

  test('a case is admitted when it is red where harm was done and green on the fix, its twin with it', async () => {
    await proposeCase(services, mia(), floor('unasked'));
    await expect(admit('unasked')).rejects.toThrow('none of its twins is green');
    await proposeCase(services, mia(), twin());
    await expect(admit('unasked', '1', '2')).rejects.toThrow('on release 1 it is green, not red');
    expect(await suiteOf(services.db.sql, 'desk')).toEqual([]);
    expect(await admit('unasked')).toMatchObject({ state: 'admitted', red_on: '2', green_on: '1' });
    expect((await suiteOf(services.db.sql, 'desk')).map((one) => one.case)).toEqual(['possible', 'unasked']);
    expect(await run('1')).toMatchObject({ green: 2, red: 0, unevaluable: 0 });
    expect(await run('2')).toMatchObject({ green: 1, red: 1 });
    await expect(admit('unasked')).rejects.toThrow('it is admitted');
  });

  test('who applied a release does not write what it is held to', async () => {
    await proposeCase(services, managerActor(), floor('by-olga'));
    await expect(admit('by-olga')).rejects.toThrow('olga wrote what it expects and applied release 2');
  });

  test('a file does not change what is admitted, and says nothing anew', async () => {
    expect(await proposeCase(services, mia(), floor('unasked'))).toMatchObject({ state: 'admitted' });
    const other = given('unasked', { expect: { atMost: 'ask:9' } });
    await expect(proposeCase(services, mia(), other)).rejects.toThrow('a file does not change it');
  });

  test('it is green in what is in force, and not when nobody admitted it', async () => {
    expect(await caseGreenInForce(services.db.sql, 'desk', 'unasked')).toBe(true);
    expect(await caseGreenInForce(services.db.sql, 'desk', 'by-olga')).toBe(false);
    expect(await caseGreenInForce(services.db.sql, 'desk', 'none')).toBe(false);
  });

  test('another expectation takes two people who say the same, and is still red where it was', async () => {
    const input = (expected: RegressionCase['expect']) => ({
      agent: 'desk',
      name: 'unasked',
      expect: expected,
      reason: 'Two people from now on',
    });
    const two = { atLeast: 'ask', reasons: ['approval_needed' as const] };
    expect(await expectOtherwise(services, mia(), input(two))).toMatchObject({ asked: { by: 'mia' } });
    const again = await expectOtherwise(services, mia(), input(two));
    expect([again.body.expect, again.asked?.by]).toEqual([{ atLeast: 'ask:1' }, 'mia']);
    const done = await expectOtherwise(services, tom(), input(two));
    expect([done.body.expect, done.asked, done.expected_by]).toEqual([two, null, 'mia']);
    await expectOtherwise(services, mia(), input({ atMost: 'ask' }));
    await expect(expectOtherwise(services, tom(), input({ atMost: 'ask' }))).rejects.toThrow(
      'on release 2 it would be green, not red',
    );
  });

  test('a tool that takes other arguments marks it; after 14 days it is red', async () => {
    const agent = agentFrom(AGENT_YAML);
    const { cancel } = agent.tools;
    if (!cancel) throw new Error('there is no such tool');
    const args = { ...cancel.args, description: 'what it cancels' };
    await applyAgent(services, managerActor(), {
      ...agent,
      tools: { ...agent.tools, cancel: { ...cancel, args } },
    });
    expect(await run('1')).toMatchObject({ red: 0, needsMigration: ['possible', 'unasked'] });
    services.clock.advance(15 * DAY_MS);
    expect(await run('1')).toMatchObject({ red: 2, green: 0 });
    await applyAgent(services, managerActor(), agent);
    expect(await run('1')).toMatchObject({ red: 0, needsMigration: [], reviewOverdue: [] });
  });

  test('one person asks that it goes, another lets it go; what became of it is kept', async () => {
    const input = { agent: 'desk', name: 'unasked', reason: 'The tool is gone' };
    await retireCase(services, mia(), input);
    expect(await retireCase(services, mia(), input)).toMatchObject({ state: 'admitted' });
    expect(await retireCase(services, tom(), input)).toMatchObject({ state: 'retired', retired_by: 'tom' });
    const changes = await services.db.sql
      .selectFrom('regression_case_change')
      .select(['verb', 'by'])
      .where('name', '=', 'unasked')
      .orderBy('revision')
      .execute();
    expect(changes.map(({ verb, by }) => `${by} ${verb}`)).toEqual([
      'mia proposed',
      'tom admitted',
      'mia asked',
      'mia asked',
      'tom expected',
      'mia asked',
      'mia asked',
      'mia asked',
      'tom retired',
    ]);
  });

  test('one that is red nowhere is set aside by two people, and one that is red somewhere is not', async () => {
    const aside = (actor: ReturnType<typeof mia>, name: string) =>
      setCaseAside(services, actor, { agent: 'desk', name, reason: 'It happens no more' });
    await proposeCase(services, mia(), given('nowhere', { expect: { atMost: 'ask:1' } }));
    expect(await aside(mia(), 'nowhere')).toMatchObject({ state: 'proposed', asked: { by: 'mia' } });
    expect(await aside(mia(), 'nowhere')).toMatchObject({ state: 'proposed' });
    await proposeCase(services, mia(), given('nowhere', { expect: { atMost: 'ask:2' } }));
    expect(await aside(tom(), 'nowhere')).toMatchObject({ state: 'proposed', asked: { by: 'tom' } });
    await proposeCase(services, mia(), given('nowhere', { expect: { atMost: 'ask:1' } }));
    await aside(mia(), 'nowhere');
    expect(await aside(tom(), 'nowhere')).toMatchObject({ state: 'unreproduced', retired_by: 'tom' });
    await expect(aside(mia(), 'nowhere')).rejects.toThrow('it is unreproduced');
    expect((await run('2')).results.map((one) => one.case)).not.toContain('nowhere');
    await proposeCase(services, mia(), floor('somewhere'));
    await aside(mia(), 'somewhere');
    await expect(aside(tom(), 'somewhere')).rejects.toThrow('on release 2 it is red');
    await retireCase(services, mia(), { agent: 'desk', name: 'somewhere', reason: 'tried' });
  });

  test.each(['adopted', 'completed'])('once its fix is %s, its incident is guarded', async (how) => {
    const { sql } = services.db;
    const olga = actorOf(['release-manager', 'approver'], { person: 'olga' });
    const stateNow = async (id: string) =>
      (await sql.selectFrom('incident').select('state').where('id', '=', id).executeTakeFirst())?.state;
    await sql.updateTable('in_force').set({ release: '2' }).where('agent', '=', 'desk').execute();
    const { id, revision } = await reportIncident(services, olga, {
      agent: 'desk',
      title: 'Cancelled unasked',
      reason: 'seen',
      segment: how,
    });
    await classifyIncident(services, olga, { id, revision, mechanism: 'over_grant', certainty: 'known' });
    const one = { ...floor(`again-${how}`), from: [id] };
    await proposeCase(services, mia(), one);
    await admit(one.case);
    expect(await stateNow(id)).toBe('reproduced');
    if (how === 'adopted') {
      const less = RELEASE_YAML.replace('release: 1', 'release: 4').replace(/.*tool: refund.*\n/, '');
      await sql.updateTable('in_force').set({ release: '1' }).where('agent', '=', 'desk').execute();
      await givenRelease(services, agentFrom(AGENT_YAML), less);
      await adoptRelease(services, managerActor(), { agent: 'desk', version: '4', reason: 'mended' });
    } else {
      const yaml = RELEASE_2_YAML.replace('release: 2', 'release: 3').replace(
        'approval: none',
        'approval: desk',
      );
      await givenRelease(services, agentFrom(AGENT_YAML), yaml);
      const asked = { agent: 'desk', release: '3', reason: 'mended' };
      const rollout = await startRollout(services, managerActor(), asked);
      await sql.updateTable('rollout_segment').set({ state: 'exposed' }).execute();
      const facts = await rolloutFacts(services, rollout.id);
      expect(await completeRollout(services, { id: rollout.id, ...facts })).toBe(true);
    }
    expect(await stateNow(id)).toBe('guarded');
  });
});
