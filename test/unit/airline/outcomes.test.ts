import { describe, expect, test } from 'vitest';
import type { Api } from '../../../examples/airline/demo/api.ts';
import { createReporter } from '../../../examples/airline/demo/outcomes.ts';
import type { Done } from '../../../examples/airline/demo/player.ts';
import type { Conversation, Run, Truth } from '../../../examples/airline/demo/recording.ts';

const truth: Truth = new Map([
  ['0-1/0', { expected: true, refused: false, afterDivergence: false }],
  ['0-1/1', { expected: false, refused: true, afterDivergence: false }],
  ['0-1/2', { expected: false, refused: false, afterDivergence: true }],
]);
const runs = new Map<string, Run>([['0-1', { solved: false, escalated: true, thousandChars: 118.5 }]]);
const conversation: Conversation = { episode: '0-1', user: 'u', tier: 'silver', calls: [] };

/** What is reported of each write: metric and value. */
function reporter() {
  const sent: [string, number][][] = [];
  const api = {
    post: async (
      _: string,
      body: { outcomes: { id: string; action: string; metric: string; value: number }[] },
    ) => {
      for (const { id, action, metric } of body.outcomes) expect(id).toBe(`${action}/${metric}`);
      sent.push(body.outcomes.map(({ metric, value }) => [metric, value]));
    },
  } as unknown as Api;
  const report = createReporter(api, truth, runs);
  const done = (callId: string, more: object = {}): Promise<unknown> =>
    report({
      callId,
      conversation,
      action: {
        id: callId,
        tool: 'cancel_reservation',
        decidedBy: 'policy',
        segment: 'silver-test',
        ...more,
      },
      refused: truth.get(callId)?.refused ?? false,
      waitedMs: 12,
    } as Done);
  return { sent, done };
}

describe('what is reported of a write', () => {
  test('what is of the conversation is told once, and of a write that the airline did', async () => {
    const { sent, done } = reporter();
    await done('0-1/1');
    await done('0-1/0');
    await done('0-1/2');
    expect(sent).toEqual([
      [
        ['latency', 12],
        ['refused-write', 1],
        ['wrong-cancellation', 0],
      ],
      [
        ['latency', 12],
        ['cost', 119],
        ['handed-over', 1],
        ['corrected', 0],
        ['wrong-cancellation', 0],
      ],
      [
        ['latency', 12],
        ['corrected', 1],
        ['wrong-cancellation', 1],
      ],
    ]);
  });

  test('what a person approved is no automatic cancellation', async () => {
    const { sent, done } = reporter();
    expect(await done('0-1/0', { decidedBy: 'person' })).toBeUndefined();
    expect(sent.flat().map(([metric]) => metric)).not.toContain('wrong-cancellation');
  });
});
