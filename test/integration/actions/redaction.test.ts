import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { completeAction } from '../../../src/actions/complete.ts';
import { actionView } from '../../../src/actions/view.ts';
import { withdrawAction } from '../../../src/actions/withdraw.ts';
import { applyAgent } from '../../../src/agents/apply.ts';
import { answerAction } from '../../../src/approvals/answer.ts';
import { editAction } from '../../../src/approvals/edit.ts';
import { answerTogether } from '../../../src/approvals/side-by-side.ts';
import { actionCard } from '../../../src/cards/action-card.ts';
import { readCardFacts } from '../../../src/cards/card-facts.ts';
import { diffAgents } from '../../../src/domain/manifest/diff.ts';
import { type ActionRow, actionById } from '../../../src/records/action.ts';
import { eraseSubject } from '../../../src/subjects/erase.ts';
import {
  AGENT_YAML,
  actorOf,
  agentActor,
  agentFrom,
  approverActor,
  givenAdopted,
  givenAsked,
  givenBegunAction,
  givenPendingAction,
  managerActor,
  RELEASE_YAML,
} from '../../support/fixtures.ts';
import { writtenLog } from '../../support/log.ts';
import { createTestServices, type TestServices } from '../../support/services.ts';
import { read } from '../../unit/cards/facts.ts';

const SECRET = '4111222233334444';
const COVERED = 'redact: [card]';
const OPEN = 'redact: []';
const OPEN_YAML = AGENT_YAML.replace(COVERED, OPEN);

let services: TestServices;
beforeEach(async () => {
  services = await createTestServices();
});
afterEach(() => services.close());

const apply = (yaml: string) => applyAgent(services, managerActor(), agentFrom(yaml));
const asked = (card = SECRET) =>
  givenPendingAction(services, { args: { id: 'R-1', card }, subject: 'guest-1' });
const logText = async () =>
  (await writtenLog(services.db.sql).select('body').execute()).map(({ body }) => body).join('\n');

/** Everything that people and readers are shown of an action. */
async function shownOf({ id }: ActionRow): Promise<string> {
  const action = await actionById(services.db.sql, id);
  const card = actionCard(await readCardFacts(services, id));
  const together = await answerTogether(services, approverActor('ben'), [action]);
  return JSON.stringify([
    await actionView(services, action, { args: true }),
    card,
    read(card),
    together.map(({ args, changes }) => [args, changes]),
  ]);
}

describe('what was hidden when it was asked', () => {
  test('stays hidden when a later manifest shows it, on every surface', async () => {
    await givenAdopted(services);
    const before = await asked();
    expect(await shownOf(before)).not.toContain(SECRET);
    await apply(OPEN_YAML);
    const after = await asked('5555666677778888');
    expect(await shownOf(before)).not.toContain(SECRET);
    expect(await shownOf(before)).toContain('[redacted]');
    expect(await shownOf(after)).toContain('5555666677778888');
  });

  test('stays hidden in what is compared with it, and over an edit', async () => {
    await givenAdopted(services);
    const before = await asked();
    await answerAction(services, approverActor(), { id: before.id, verdict: 'approve' });
    const edited = await asked();
    await apply(OPEN_YAML);
    const { args_digest: digest, revision, id } = edited;
    const args = { id: 'R-2', card: '[redacted]' };
    await editAction(services, approverActor(), { id, digest, revision, args });
    expect(await shownOf(edited)).not.toContain(SECRET);
    const kept = await services.db.sql
      .selectFrom('action_private')
      .select('args')
      .where('action_id', '=', id)
      .executeTakeFirstOrThrow();
    expect(JSON.parse(kept.args)).toEqual({ id: 'R-2', card: SECRET });
    // The last one like it is compared with: as much is hidden as of either.
    expect(await shownOf(await asked('open now'))).not.toContain(SECRET);
    const rows = [await actionById(services.db.sql, id), await asked('other')];
    const together = await answerTogether(services, approverActor('ben'), rows);
    expect(JSON.stringify(together.map(({ args: own, changes }) => [own, changes]))).not.toContain(SECRET);
  });

  test('is hidden as well when only a later manifest hides it', async () => {
    await givenAdopted(services, { agentYaml: OPEN_YAML });
    const before = await asked();
    expect(await shownOf(before)).toContain(SECRET);
    await apply(AGENT_YAML);
    const { args } = await actionView(services, before, { args: true });
    expect(args).toEqual({ id: 'R-1', card: '[redacted]' });
  });
});

test('taking a path off is loud in the difference, and only where something is shown by it', () => {
  const [covered, open] = [agentFrom(AGENT_YAML), agentFrom(OPEN_YAML)];
  expect(diffAgents(covered, open)).toContainEqual({
    sign: '-',
    what: 'redact cancel card',
    detail: expect.stringMatching(/^SHOWN from now on .*asked before stays hidden$/),
  });
  expect(diffAgents(open, covered)).toContainEqual(
    expect.objectContaining({ sign: '+', what: 'redact cancel card' }),
  );
  const redactions = (before: typeof covered | undefined, after: typeof covered) =>
    diffAgents(before, after).filter(({ what }) => what.startsWith('redact'));
  expect(redactions(undefined, covered)).toEqual([]);
  expect(redactions(covered, covered)).toEqual([]);
  const { cancel: _, ...others } = covered.tools;
  expect(redactions(covered, { ...covered, tools: others })).toEqual([]);
});

describe('no word of the agent that may hold a value reaches reasons or the log', () => {
  const MAP_YAML = AGENT_YAML.concat(`  call:
    kind: write
    redact: [phones, "people[].phones"]
    args:
      type: object
      properties:
        to: { type: string }
        phones: { type: object, additionalProperties: { type: integer, minimum: 0 } }
        people: { type: array, items: { type: object, properties: { phones: { type: object, additionalProperties: false } } } }
`);
  const releaseYaml = `${RELEASE_YAML}  - { tool: call, approval: desk }\n`;
  const NAME = '+49 151/23456789 ~home';

  test.each([
    { phones: { [NAME]: 'mobile' } },
    { phones: { [NAME]: -1 } },
    { phones: { [NAME]: { [NAME]: 1 } } },
    { people: [{ phones: { [NAME]: 1 } }] },
    { people: [{ phones: { [NAME.repeat(30)]: 1 } }] },
  ])('not the names in a map that is redacted: %j', async (args) => {
    await givenAdopted(services, { agentYaml: MAP_YAML, releaseYaml });
    const { action, outcome } = await givenAsked(services, { tool: 'call', args });
    expect(outcome).toBe('denied');
    expect(action.reasons).toMatchObject([{ code: 'args_invalid' }]);
    const told = JSON.stringify([action.reasons, action.summary]) + (await logText());
    expect(told).not.toMatch(/\+49|23456789/);
  });

  test('but what is wrong elsewhere is told by name', async () => {
    await givenAdopted(services, { agentYaml: MAP_YAML, releaseYaml });
    const { action } = await givenAsked(services, { tool: 'call', args: { to: 7, phones: { t: 1 } } });
    expect(action.reasons[0]?.message).toContain('to');
    expect(action.reasons[0]?.message).toContain('string');
  });

  test('not the name of a tool that nobody declared', async () => {
    await givenAdopted(services);
    const { action } = await givenAsked(services, { tool: `cancle ${SECRET}` });
    expect(action.reasons).toMatchObject([{ code: 'unknown_tool' }]);
    expect(JSON.stringify(action.reasons)).not.toContain(SECRET);
    expect(await logText()).not.toContain(SECRET);
    const { action: near } = await givenAsked(services, { tool: 'cancle' });
    expect(near.reasons[0]?.hint).toBe('Did you mean "cancel"?');
  });

  test.each([`Card ${SECRET} of Ana was refused`, SECRET, 'no such guest: ana@example.com', 'x'.repeat(150)])(
    'not what is reported as an error in free text: %s',
    async (error) => {
      await givenAdopted(services);
      const { id } = await givenBegunAction(services);
      const done = await completeAction(services, agentActor(), { id, executionId: 'e-1', ok: false, error });
      expect(done).toMatchObject({ state: 'failed', error_code: 'tool_failed' });
      expect(await logText()).not.toContain(error);
      expect(await shownOf(done)).not.toContain(error);
    },
  );

  test('not why it takes a question back, which people see all the same until it is erased', async () => {
    await givenAdopted(services);
    const { id } = await asked();
    await withdrawAction(services, agentActor(), { id, reason: `Ana gave me ${SECRET} instead` });
    const withdrawn = await actionById(services.db.sql, id);
    expect(withdrawn.state).toBe('withdrawn');
    expect(read(actionCard(await readCardFacts(services, id)))).toContain('Ana gave me');
    expect(await logText()).not.toContain('Ana gave me');
    await eraseSubject(services, actorOf('admin'), {
      agent: 'desk',
      subject: 'guest-1',
      reason: 'They asked',
    });
    expect(read(actionCard(await readCardFacts(services, id)))).not.toContain('Ana gave me');
  });

  test.each(['reservation_not_found', 'E.404', '23505', 'http:503'])('a code is kept: %s', async (error) => {
    await givenAdopted(services);
    const { id } = await givenBegunAction(services);
    const done = await completeAction(services, agentActor(), { id, executionId: 'e-1', ok: false, error });
    expect(done.error_code).toBe(error);
  });
});
