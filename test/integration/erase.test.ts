import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { correctAction } from '../../src/actions/correct.ts';
import { answerAction } from '../../src/approvals/answer.ts';
import { editAction } from '../../src/approvals/edit.ts';
import { readCardFacts } from '../../src/cards/card-facts.ts';
import { cardToShow } from '../../src/cards/copies.ts';
import { admitCase } from '../../src/cases/admit.ts';
import { draftCase } from '../../src/cases/draft.ts';
import { proposeCase } from '../../src/cases/propose.ts';
import { runCases } from '../../src/cases/run.ts';
import { classifyIncident } from '../../src/incidents/classify.ts';
import { sequenceLog } from '../../src/log/sequence.ts';
import { verifyLog } from '../../src/log/verify.ts';
import { actionById } from '../../src/records/action.ts';
import { raiseAlert } from '../../src/records/alert.ts';
import { followRevocation } from '../../src/records/revocation.ts';
import { eraseSubject, resumeErasures } from '../../src/subjects/erase.ts';
import {
  actorOf,
  approverActor,
  givenAdopted,
  givenAsked,
  givenBegunAction,
  givenPendingAction,
  managerActor,
} from '../support/fixtures.ts';
import { placesOf } from '../support/places.ts';
import { describeWithServices } from '../support/services.ts';
import { givenCancelled, givenExposed } from './rollouts/support.ts';

describeWithServices('erasing a subject', (make) => {
  test('takes what people saw and edited, and ends what they approved along with it', async () => {
    const services = await make();
    await givenAdopted(services);
    const of = { subject: 'Ada Lovelace', args: { id: 'R-ADA' } };
    const asked = await givenPendingAction(services, of);
    await cardToShow(services, await readCardFacts(services, asked.id));
    const {
      id,
      args_digest: digest,
      revision,
    } = await editAction(services, approverActor('ana'), {
      id: asked.id,
      args: { id: 'R-ADA', note: 'for Ada Lovelace' },
      digest: asked.args_digest,
      revision: asked.revision,
    });
    const stale = await readCardFacts(services, id);
    await cardToShow(services, stale);
    const standing = { envelope: 'args.id == "R-ADA"', maxUses: 3, forMs: 3_600_000 };
    const shown = { digest, revision, cardVersion: stale.action.card_version };
    await answerAction(services, approverActor('ben'), { id, verdict: 'approve', standing, ...shown });
    const places = [
      'card_text.text',
      'receipt.shown',
      'action_edit.args_before',
      'standing_approval.envelope',
    ];
    expect(await placesOf(services, 'R-ADA')).toEqual(
      expect.arrayContaining([...places, 'action.standing_wish']),
    );

    await eraseSubject(services, actorOf('admin'), { agent: 'desk', subject: of.subject, reason: 'asked' });
    // A card drawn from what was read before the erasure is not kept any more.
    const later = { ...stale.action, card_version: stale.action.card_version + 2 };
    await cardToShow(services, { ...stale, action: later });
    await cardToShow(services, await readCardFacts(services, id));
    for (const text of ['R-ADA', 'Ada Lovelace']) expect(await placesOf(services, text, [])).toEqual([]);
    const { sql: db } = services.db;
    expect(await db.selectFrom('standing_approval').selectAll().executeTakeFirst()).toMatchObject({
      envelope: '[erased]',
      ended_because: 'revoked',
      ended_at: services.clock.now(),
    });
    expect((await givenAsked(services, { args: { id: 'R-ADA' }, subject: 'Bob' })).outcome).toBe('pending');
    const receipt = await db.selectFrom('receipt').select(['jws', 'shown', 'salt']).executeTakeFirst();
    expect(receipt).toMatchObject({ jws: expect.stringMatching(/^ey/), shown: null, salt: null });
    await sequenceLog(db);
    expect(await verifyLog(db)).toMatchObject({ verified: true });
  });

  // Guard: shrinkAsk() in draftCase(); with what was asked in its place the case holds what is to be erased.
  test('leaves the case that was made of their incident as it was: without them, and still red', async () => {
    const services = await make();
    const { sql: db } = services.db;
    await givenExposed(services);
    const harmful = await givenCancelled(services, 'Ada Lovelace', 'gold', 'R-ADA');
    await correctAction(services, approverActor('ana'), { id: harmful.id, reason: 'it was wrong' });
    const opened = db.selectFrom('incident').select(['id', 'revision']);
    const { id: incident, revision } = await opened.executeTakeFirstOrThrow();
    const label = { mechanism: 'over_grant', certainty: 'known' } as const;
    await classifyIncident(services, managerActor(), { id: incident, revision, ...label });
    const draft = async (name: string, bound: Record<string, string>, twins: string[]) => {
      const input = { agent: 'desk', case: name, incident, expect: bound, twins };
      const drafted = await draftCase(services, managerActor(), input);
      await proposeCase(services, actorOf('release-manager', { person: 'mia' }), drafted.case);
    };
    await draft('possible', { atMost: 'ask:1' }, []);
    await draft('unasked', { atLeast: 'ask:1' }, ['possible']);
    const tom = actorOf('release-manager', { person: 'tom' });
    await admitCase(services, tom, { agent: 'desk', name: 'unasked', redOn: '2', greenOn: '1' });
    const told = async () => [
      await runCases(services, tom, { agent: 'desk', release: '2' }),
      await runCases(services, tom, { agent: 'desk', release: '1' }),
    ];
    const before = await told();
    expect(before).toMatchObject([
      { green: 1, red: 1, unevaluable: 0 },
      { green: 2, red: 0, unevaluable: 0 },
    ]);
    const ofCases = async () =>
      (await placesOf(services, 'R-ADA')).filter((place) => place.startsWith('regression_case'));
    expect(await ofCases()).toEqual([]);

    const input = { agent: 'desk', subject: 'Ada Lovelace', reason: 'asked' };
    await eraseSubject(services, actorOf('admin'), input);
    expect(await placesOf(services, 'Ada Lovelace', [])).toEqual([]);
    expect(await told()).toEqual(before);
  });

  test('a stop that was reading what is in flight tells nothing of it afterwards', async () => {
    const services = await make();
    await givenAdopted(services);
    const of = { subject: 'Ada Lovelace', args: { id: 'R-ADA' } };
    const begun = await givenBegunAction(services, of);
    const { sql: db } = services.db;
    const input = { agent: 'desk', subject: of.subject, reason: 'asked' };
    await eraseSubject(services, actorOf('admin'), input, { withinMs: 0 });
    services.clock.advance(60_000);
    const stopping = await db.startTransaction().execute();
    const now = services.clock.now();
    await sql`SELECT disable_switch('agent/desk', false, 'fire', 'cleo', ${now})`.execute(stopping);
    const erasing = resumeErasures(services);
    const isEmpty = async () => (await actionById(db, begun.id)).summary;
    await expect.poll(isEmpty).toBe('[erased]');
    await stopping.commit().execute();
    await erasing;
    for (const { id } of await db.selectFrom('revocation').select('id').execute())
      await followRevocation(db, id, now);
    expect(await db.selectFrom('alert').select('facts').execute()).toMatchObject([
      { facts: { inFlight: [{ action: begun.id, summary: '[erased]' }] } },
    ]);
    // Whoever read it before, and tells it now.
    await raiseAlert(db, 'action.unknown', 'desk', now, { action: begun.id, summary: 'cancel R-ADA' });
    expect(await placesOf(services, 'R-ADA', [])).toEqual([]);
    expect(await db.selectFrom('erasure').select(['actions', 'done_at']).execute()).toEqual([
      { actions: 1, done_at: now },
    ]);
  });
});
