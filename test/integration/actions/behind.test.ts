import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { beginAction } from '../../../src/actions/begin.ts';
import { actionView } from '../../../src/actions/view.ts';
import { answerAction } from '../../../src/approvals/answer.ts';
import { editAction } from '../../../src/approvals/edit.ts';
import { recordText } from '../../../src/approvals/receipts/shown-text.ts';
import { actionCard } from '../../../src/cards/action-card.ts';
import { readCardFacts } from '../../../src/cards/card-facts.ts';
import { readManifest } from '../../../src/domain/manifest/manifest.ts';
import type { ActionRow } from '../../../src/records/action.ts';
import { manifestOf } from '../../../src/records/manifest.ts';
import {
  AGENT_YAML,
  agentActor,
  agentFrom,
  approverActor,
  givenAdopted,
  givenAsked,
  RELEASE_YAML,
} from '../../support/fixtures.ts';
import { writtenLog } from '../../support/log.ts';
import { createTestServices, type TestServices } from '../../support/services.ts';
import { read } from '../../unit/cards/facts.ts';

const PEOPLE_YAML = AGENT_YAML.replace(
  /people: .*/,
  `people:
  olga: { name: Olga }
  ana: { name: Ana Ruiz, email: ana@example.com, slack: U0ANA/T0X }
  ben: { name: Ben }
  cleo: { name: Cleo }`,
);
const STRICT_YAML = RELEASE_YAML.replace('approval: desk }', 'approval: desk, strictBehind: true }');

let services: TestServices;
let strict: TestServices;
beforeAll(async () => {
  services = await createTestServices();
  await givenAdopted(services, { agentYaml: PEOPLE_YAML });
  strict = await createTestServices();
  await givenAdopted(strict, { agentYaml: PEOPLE_YAML, releaseYaml: STRICT_YAML });
});
afterAll(() => Promise.all([services.close(), strict.close()]));

const asked = (at: TestServices, behind: readonly string[], idempotencyKey?: string) =>
  givenAsked(at, { behind, ...(idempotencyKey ? { idempotencyKey } : {}) });
const approve = (at: TestServices, { id }: ActionRow, person: string, more = {}) =>
  answerAction(at, approverActor(person), { id, verdict: 'approve', ...more });

describe('whoever is behind it may not approve it, however that is written', () => {
  test.each([
    'Ana Ruiz <ana@example.com>',
    'ana+ai@example.com',
    'ANA\u00a0RUIZ',
    'ana\u200b',
    '\uff41na',
    '<@U0ANA|x>',
  ])('%s', async (named) => {
    const { action } = await asked(services, ['Guest 4711', named]);
    await expect(approve(services, action, 'ana')).rejects.toMatchObject({
      code: 'not_eligible',
      details: { because: 'requester' },
    });
    expect((await approve(services, action, 'ben')).action.state).toBe('approved');
  });
});

test('whoever is nobody is shown to approvers as a doubt, on every surface', async () => {
  const { action } = await asked(services, ['ben', 'A. R. <ruiz@home.test>']);
  expect(await actionView(services, action, { args: false })).toMatchObject({
    behind: ['ben', 'A. R. <ruiz@home.test>'],
    strangers: ['A. R. <ruiz@home.test>'],
  });
  const card = actionCard(await readCardFacts(services, action.id));
  expect(read(card)).toContain('A. R. <ruiz@home.test>: *nobody of this agent');
  expect(card.text).toContain('nobody of this agent');
  const shown = await recordText(services.db.sql, action, await manifestOf(services.db.sql, 'desk'));
  expect(shown).toContain('Nobody of this agent: A. R. <ruiz@home.test>');
  const { action: known } = await asked(services, ['Ana <ana@example.com>']);
  expect(read(actionCard(await readCardFacts(services, known.id)))).not.toContain('nobody of this agent');
});

describe('where the release is strict about it', () => {
  test('a question for somebody whom nobody knows is refused, without repeating who', async () => {
    const { action, outcome } = await asked(strict, ['ana', 'who@home.test']);
    expect(outcome).toBe('denied');
    expect(action.reasons).toMatchObject([{ code: 'behind_unknown' }]);
    expect(JSON.stringify(action.reasons)).not.toContain('home.test');
    expect((await asked(strict, ['ana', 'Ben'])).outcome).toBe('pending');
    expect((await asked(strict, [])).outcome).toBe('pending');
  });

  test('the same named later makes it void', async () => {
    const { action } = await asked(strict, ['ana'], 'later');
    const again = await asked(strict, ['ana', 'who@home.test'], 'later');
    expect(again).toMatchObject({
      repeated: true,
      outcome: 'denied',
      action: { id: action.id, state: 'superseded', superseded_because: 'behind_unknown' },
    });
  });

  test('other arguments are asked under the same strictness', async () => {
    const { action } = await asked(strict, ['ana']);
    const { args_digest: digest, revision, id } = action;
    const edited = editAction(strict, approverActor('ben'), { id, digest, revision, args: { id: 'R-2' } });
    await expect(edited).resolves.toMatchObject({ round: 1, approval: { strictBehind: true } });
  });

  test('a grant that asks nobody cannot be', () => {
    const yaml =
      'agent: desk\nrelease: 2\ngrants:\n  - { tool: cancel, approval: none, strictBehind: true }\n';
    expect(readManifest('r.yaml', yaml, 'release', agentFrom(PEOPLE_YAML))).toMatchObject({
      ok: false,
      problems: [{ line: 4, path: 'grants[0].strictBehind', message: expect.stringContaining('strict') }],
    });
  });
});

describe('a repeated question that names somebody more', () => {
  test('adds them: they cannot approve, and what was seen before is outdated', async () => {
    const { action } = await asked(services, ['Guest 4711'], 'more');
    const again = await asked(services, ['Guest 4711', 'Ana Ruiz <ana@example.com>'], 'more');
    expect(again.action).toMatchObject({
      id: action.id,
      state: 'pending',
      behind: ['Guest 4711', 'Ana Ruiz <ana@example.com>'],
    });
    await expect(approve(services, action, 'ana')).rejects.toMatchObject({ code: 'not_eligible' });
    const stale = approve(services, action, 'ben', { revision: action.revision });
    await expect(stale).rejects.toMatchObject({ code: 'seen_outdated' });
    const log = writtenLog(services.db.sql).selectAll();
    const entries = await log.where('ref', '=', action.id).execute();
    expect(entries.map(({ kind }) => kind)).toContain('action.behind_added');
    expect(JSON.stringify(entries)).not.toContain('example.com');
  });

  test('changes nothing when it names nobody new, or fewer', async () => {
    const { action } = await asked(services, ['ana', 'Guest 4711'], 'same');
    expect((await asked(services, ['Guest 4711'], 'same')).action).toEqual(action);
    expect((await asked(services, [], 'same')).action).toEqual(action);
  });

  test.each(['pending', 'approved'])('voids it when they approved already and it is %s', async (state) => {
    const tool = state === 'pending' ? { tool: 'refund', args: { amount: 5 } } : {};
    const key = `void-${state}`;
    const { action } = await givenAsked(services, { ...tool, idempotencyKey: key });
    expect((await approve(services, action, 'ana')).action.state).toBe(state);
    const again = await givenAsked(services, {
      ...tool,
      idempotencyKey: key,
      behind: ['ana+ai@example.com'],
    });
    expect(again.action).toMatchObject({ state: 'superseded', superseded_because: 'approver_lost_standing' });
    const begun = beginAction(services, agentActor(), { id: action.id, executionId: 'e' });
    await expect(begun).rejects.toMatchObject({ code: 'not_approved' });
  });

  test('is for the record alone once it has begun, and ends at what one action may name', async () => {
    const { action } = await asked(services, [], 'begun');
    await approve(services, action, 'ana');
    await beginAction(services, agentActor(), { id: action.id, executionId: 'e' });
    expect((await asked(services, ['ana'], 'begun')).action).toMatchObject({
      state: 'executing',
      behind: ['ana'],
    });
    const many = Array.from({ length: 20 }, (_, index) => `Guest ${index}`);
    await expect(asked(services, many, 'begun')).rejects.toMatchObject({ code: 'invalid_input' });
  });
});
