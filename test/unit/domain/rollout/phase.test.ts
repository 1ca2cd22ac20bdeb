import { describe, expect, test } from 'vitest';
import {
  machineWaits,
  nextMove,
  type RolloutFacts,
  type VerdictFacts,
  waitsOf,
} from '../../../../src/domain/rollout/phase.ts';
import { planSegments, planSteps } from '../../../../src/domain/rollout/steps.ts';
import { rolloutSchema } from '../../../../src/domain/rollout-plan.ts';

const DAY_MS = 1_000;
const segments = planSegments({ segments: [{ name: 'gold', representative: true }] });

const stepsWith = (gate: Record<string, unknown> = {}) =>
  planSteps(
    rolloutSchema.parse({
      baseline: { days: 10, gate },
      constrained: [{ days: 10, exposure: { gold: 50 }, gate }],
      scale: [{ days: 10, exposure: { '*': 100 }, gate }],
    }),
    segments,
  );

const gold = { segment: 'gold', exposure: 5_000, generation: 1, state: 'exposed' as const };
const nobody = { segment: 'default', exposure: 0, generation: 1, state: 'waiting' as const };

/** In `constrained`, its time over, everything good, and nobody asked yet. */
const given = (more: Partial<RolloutFacts> = {}, gate: Record<string, unknown> = {}): RolloutFacts => ({
  status: 'running',
  steps: stepsWith(gate),
  stepIndex: 1,
  elapsedMs: 10 * DAY_MS,
  dayMs: DAY_MS,
  disabled: false,
  baselineLocked: true,
  heldForVersion: null,
  gateApprovedBy: null,
  gateTold: false,
  segments: [nobody, gold],
  verdicts: [],
  guardrails: [],
  revision: 1,
  ...more,
});

const verdict = (word: VerdictFacts['verdict'], more: Partial<VerdictFacts> = {}): VerdictFacts => ({
  segment: 'gold',
  metric: 'wrong',
  verdict: word,
  events: 3,
  known: 3,
  moreNeeded: null,
  ...more,
});

/** What is waited for with one verdict, in words. */
const waitsWith = (found: VerdictFacts | undefined, gate: Record<string, unknown>) =>
  machineWaits(given({ guardrails: ['wrong'], verdicts: found ? [found] : [] }, gate)).map(
    ({ for: what, needed }) => (needed === undefined ? what : `${what} ${needed}`),
  );

describe('nextMove()', () => {
  test.each(['completed', 'rolled_back', 'superseded'] as const)('a rollout that is %s ends', (status) => {
    expect(nextMove(given({ status }))).toEqual({ do: 'end' });
  });

  test('waits for the time of its step, rounded up, and no less than it can tell', () => {
    expect(nextMove(given({ elapsedMs: 9 * DAY_MS + 0.5 }))).toEqual({ do: 'wait', ms: 1_000 });
    expect(nextMove(given({ elapsedMs: 10 * DAY_MS - 1 }))).toEqual({ do: 'wait', ms: 50 });
    expect(nextMove(given({ elapsedMs: 10 * DAY_MS }))).toEqual({ do: 'ask-person' });
  });

  test.each([
    ['paused', { status: 'paused' as const }],
    ['switched off', { disabled: true }],
  ])('%s: its time stands still, it looks again in a day', (_, stopped) => {
    expect(nextMove(given({ ...stopped, elapsedMs: 3 * DAY_MS }))).toEqual({ do: 'wait', ms: DAY_MS });
  });

  test('the time of a step runs on while a new build or a rolled-back segment holds it', () => {
    const held = given({ heldForVersion: '2.0', elapsedMs: 4 * DAY_MS });
    expect(nextMove(held)).toEqual({ do: 'wait', ms: 6 * DAY_MS });
    const frozen = given({
      segments: [{ ...gold, state: 'rolled_back', exposure: 0 }],
      elapsedMs: 4 * DAY_MS,
    });
    expect(nextMove(frozen)).toEqual({ do: 'wait', ms: 6 * DAY_MS });
  });

  test('where they were accepted nothing widens before somebody is compared again', () => {
    const uncompared = [{ segment: 'gold', metrics: ['wrong'] }];
    expect(machineWaits(given({ uncompared }))).toMatchObject([
      { for: 'sample', segment: 'gold', detail: expect.stringContaining('wrong cannot be compared') },
    ]);
    expect(nextMove(given({ uncompared })).do).toBe('wait');
  });

  test('arms that are not as assigned let nothing widen and nobody be asked, whatever else holds', () => {
    const mismatched = [{ segment: 'gold', seen: '41 of 60 subjects are in the candidate' }];
    expect(nextMove(given({ mismatched }))).toEqual({ do: 'wait', ms: DAY_MS });
    expect(nextMove(given({ mismatched, gateApprovedBy: 'olga' }))).toEqual({ do: 'wait', ms: DAY_MS });
    expect(nextMove(given({ mismatched, gateAsked: true }))).toEqual({ do: 'close-gate' });
    const [wait, ...others] = machineWaits(given({ mismatched }));
    expect(others).toEqual([]);
    expect(wait).toMatchObject({ for: 'arms', segment: 'gold' });
    expect(wait?.detail).toMatch(
      /^gold: 41 of 60 subjects are in the candidate: its arms are not as assigned/,
    );
  });

  test('evidence that is missing is looked for every hour of a day', () => {
    const lacking = given({ guardrails: ['wrong'], dayMs: 24_000, elapsedMs: 240_000 }, { sample: 5 });
    expect(nextMove(lacking)).toEqual({ do: 'wait', ms: 1_000 });
    const unproved = given({ guardrails: ['wrong'], dayMs: 24_000, elapsedMs: 240_000 }, { verdicts: 'ok' });
    expect(nextMove(unproved)).toEqual({ do: 'wait', ms: 1_000 });
  });

  test('the baseline is locked before anybody is asked, once', () => {
    const baseline = { stepIndex: 0, segments: [nobody] };
    expect(nextMove(given({ ...baseline, baselineLocked: false }))).toEqual({ do: 'lock-baseline' });
    expect(nextMove(given(baseline))).toEqual({ do: 'ask-person' });
    expect(nextMove(given({ baselineLocked: false }))).toEqual({ do: 'ask-person' });
  });

  test('a person is asked once, and waited for until a reminder is due', () => {
    expect(nextMove(given({ gateTold: true }))).toEqual({ do: 'wait', ms: DAY_MS });
    expect(nextMove(given({ gateTold: true, gateRemindMs: 400 }))).toEqual({ do: 'wait', ms: 400 });
    expect(nextMove(given({ gateTold: false, gateRemindMs: 0 }))).toEqual({ do: 'ask-person' });
    expect(nextMove(given({ gateTold: true, gateApprovedBy: 'olga' }))).toEqual({
      do: 'enter-step',
      stepIndex: 2,
    });
    expect(nextMove(given({}, { approve: false }))).toEqual({ do: 'enter-step', stepIndex: 2 });
  });

  test('the last step is left by completing', () => {
    const everyone = [nobody, { ...gold, exposure: 10_000 }];
    const facts = given({ stepIndex: 2, gateApprovedBy: 'olga', segments: everyone });
    expect(nextMove(facts)).toEqual({ do: 'complete' });
  });

  test('no step is left while evidence made a segment ask, or took its exposure back', () => {
    for (const early of [{ asks: true }, { exposure: 2_500 }]) {
      const facts = given({ gateApprovedBy: 'olga', segments: [nobody, { ...gold, ...early }] });
      expect(machineWaits(facts).map((wait) => wait.for)).toEqual(['ease']);
      expect(nextMove(facts)).toMatchObject({ do: 'wait' });
    }
  });

  test('a step that does not exist is no step to be in', () => {
    expect(() => nextMove(given({ stepIndex: 3 }))).toThrow(RangeError);
  });
});

describe('what a step waits for', () => {
  test('each stop has its name, a person comes last, a checklist before', () => {
    const facts = given(
      {
        status: 'paused',
        disabled: true,
        heldForVersion: '2.0',
        elapsedMs: 8.5 * DAY_MS,
        segments: [{ ...gold, state: 'rolled_back' }],
      },
      { checklist: ['ask Max', 'look'] },
    );
    const waits = waitsOf(facts);
    expect(waits.map(({ for: what }) => what)).toEqual([
      'paused',
      'disabled',
      'agent-version',
      'frozen',
      'time',
      'checklist',
      'person',
    ]);
    expect(waits.find(({ for: what }) => what === 'time')?.detail).toBe('1.5 days of 10');
    expect(waits.find(({ for: what }) => what === 'frozen')).toMatchObject({ segment: 'gold' });
    expect(waits.find(({ for: what }) => what === 'checklist')?.detail).toContain('2 checks');
    expect(waitsOf({ ...facts, gateApprovedBy: 'olga' }).at(-1)?.for).toBe('time');
  });

  test('nothing, when everything holds and a person said so', () => {
    expect(waitsOf(given({ gateApprovedBy: 'olga' }))).toEqual([]);
    expect(waitsOf(given({}, { approve: false }))).toEqual([]);
    expect(waitsOf(given()).map(({ for: what }) => what)).toEqual(['person']);
  });

  test('the sample is what was reported on, and says how much is missing', () => {
    expect(waitsWith(verdict('ok', { known: 4, events: 9 }), { sample: 5 })).toEqual(['sample 1']);
    expect(waitsWith(verdict('ok', { known: 5 }), { sample: 5 })).toEqual([]);
    expect(waitsWith(undefined, { sample: 5 })).toEqual(['sample 5']);
  });

  test.each<[VerdictFacts['verdict'], number, string[], string[]]>([
    ['ok', 3, [], []],
    ['inconclusive', 3, [], ['verdict']],
    ['no-data', 0, [], ['verdict']],
    ['no-data', 3, ['verdict'], ['verdict']],
    ['source-down', 3, ['verdict'], ['verdict']],
    ['breach', 3, ['verdict'], ['verdict']],
  ])('%s of %i events, where no breach is enough and where ok is needed', (word, events, lenient, strict) => {
    expect(waitsWith(verdict(word, { events }), { verdicts: 'no-breach' })).toEqual(lenient);
    expect(waitsWith(verdict(word, { events }), { verdicts: 'ok' })).toEqual(strict);
  });

  test('a verdict says how many more would prove it, and one that is not there is not good', () => {
    expect(waitsWith(verdict('inconclusive', { moreNeeded: 12 }), { verdicts: 'ok' })).toEqual([
      'verdict 12',
    ]);
    expect(waitsWith(undefined, { verdicts: 'ok' })).toEqual(['verdict']);
    expect(waitsWith(undefined, { verdicts: 'no-breach' })).toEqual([]);
    const told = (more: Partial<VerdictFacts>) =>
      machineWaits(
        given({ guardrails: ['wrong'], verdicts: [verdict('inconclusive', more)] }, { verdicts: 'ok' }),
      );
    expect(told({ moreNeeded: 12 })).toEqual([
      {
        for: 'verdict',
        segment: 'gold',
        metric: 'wrong',
        needed: 12,
        detail: 'gold wrong: inconclusive, 12 more needed',
      },
    ]);
    expect(told({})).toEqual([
      { for: 'verdict', segment: 'gold', metric: 'wrong', detail: 'gold wrong: inconclusive' },
    ]);
    expect(told({ moreNeeded: 12, perDay: 5.04 })).toMatchObject([
      { needed: 12, days: 3, detail: 'gold wrong: inconclusive, 12 more needed: about 3 days at 5 a day' },
    ]);
    expect(told({ moreNeeded: 12, perDay: 0 })).toMatchObject([
      { detail: 'gold wrong: inconclusive, 12 more needed: none came lately' },
    ]);
  });

  test('only exposed segments are judged, each by its own verdict of each guardrail', () => {
    const facts = given(
      {
        guardrails: ['wrong', 'slow'],
        verdicts: [verdict('ok'), verdict('ok', { metric: 'slow', segment: 'silver' })],
        segments: [
          gold,
          { ...gold, segment: 'silver', exposure: 0 },
          { ...gold, segment: 'bronze', state: 'excluded' },
        ],
      },
      { verdicts: 'ok' },
    );
    expect(machineWaits(facts).map(({ segment, metric }) => `${segment} ${metric}`)).toEqual(['gold slow']);
  });

  test('an inconclusive verdict does what the release says of it, whatever the gate wants; the others do not', () => {
    const waitsFor = (policy: 'wait' | 'pass', word: VerdictFacts['verdict'], gate: 'ok' | 'no-breach') =>
      machineWaits(
        given(
          { guardrails: ['wrong'], inconclusive: { wrong: policy }, verdicts: [verdict(word)] },
          { verdicts: gate },
        ),
      ).length > 0;
    expect([waitsFor('pass', 'inconclusive', 'ok'), waitsFor('wait', 'inconclusive', 'no-breach')]).toEqual([
      false,
      true,
    ]);
    for (const word of ['breach', 'source-down', 'no-data'] as const)
      for (const gate of ['ok', 'no-breach'] as const) expect(waitsFor('pass', word, gate)).toBe(true);
    expect(waitsFor('wait', 'ok', 'ok')).toBe(false);
  });
});
