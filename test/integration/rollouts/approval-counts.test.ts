import { expect, test } from 'vitest';
import { askAction } from '../../../src/actions/ask.ts';
import { answerAction } from '../../../src/approvals/answer.ts';
import { sourceCredentials } from '../../../src/metric-sources/credentials.ts';
import { judgeDue, queueExposed } from '../../../src/rollouts/judge.ts';
import { readSources } from '../../../src/rollouts/read-sources.ts';
import { agentActor, approverActor, askInput } from '../../support/fixtures.ts';
import { describeWithServices } from '../../support/services.ts';
import { givenExposed, goldOf } from './support.ts';

describeWithServices('a metric', (make) => {
  test('of approvals counts how people answer the candidate: too fast to have read it, and too many', async () => {
    const other = await make();
    const held = await givenExposed(other, {
      metrics: `  blind: { unit: approval, business: workload, matureAfter: 0s, source: { approvals: hasty } }
  load: { unit: person, business: workload, matureAfter: 0s, source: { approvals: { load: 2 } } }
`,
      guardrails:
        '{ metric: blind, limit: 0.1, reason: read it, on: { breach: hold } }, { metric: load, limit: 0.2, reason: two a day }',
      grants: () => '[{ tool: cancel, approval: desk }]',
    });
    const answered = async (n: number, person: string, afterMs: number | undefined) => {
      const actor = agentActor({ attributes: { tier: 'gold' } });
      const key = `${person}-${n}`;
      const { action } = await askAction(
        other,
        actor,
        askInput({ subject: key, idempotencyKey: key, args: { id: key } }),
      );
      if (afterMs !== undefined) {
        const seen = { action_id: action.id, person, at: other.clock.now(), via: 'web' } as const;
        await other.db.sql.insertInto('seen').values(seen).execute();
      }
      other.clock.advance(afterMs ?? 0);
      await answerAction(other, approverActor(person), { id: action.id, verdict: 'approve' });
    };
    for (let n = 0; n < 3; n++) await answered(n, 'ana', 1_000);
    await answered(0, 'ben', 9_000);
    await answered(1, 'ben', undefined);
    other.clock.advance(120_000);
    await readSources(other, sourceCredentials({}));
    await queueExposed(other);
    await judgeDue(other);
    expect(await goldOf(other, held, 'blind')).toMatchObject({ events: 4, harms: 3 });
    expect(await goldOf(other, held, 'load')).toMatchObject({ events: 2, harms: 1 });
  });
});
