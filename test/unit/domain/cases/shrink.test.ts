import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { runCase } from '../../../../src/domain/cases/run.ts';
import { shrinkAsk } from '../../../../src/domain/cases/shrink.ts';
import { caseWorld } from '../../../../src/domain/cases/world.ts';
import { airline, airlineRelease, caseOf } from './given.ts';

interface Episode {
  user_id: string;
  segment: string;
  calls: { tool: string; kind: string; args: Record<string, unknown> }[];
}
const RECORDING = new URL('../../../../examples/airline/airline-episodes.jsonl', import.meta.url);
const episodes = readFileSync(RECORDING, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Episode);
const writes = episodes.flatMap(({ user_id, segment, calls }) =>
  calls.filter(({ kind }) => kind === 'write').map((call) => ({ ...call, user_id, segment })),
);
const asked = (tool: string, args: object, tier: string, user: string, cancellable = '') =>
  caseOf({
    given: { tool, args, attributes: { tier, test_group: false, cancellable }, subject: user, vouched: user },
    expect: { atLeast: 'ask:1' },
    twins: ['other'],
  });

/** Texts that could be of somebody: names, ids, birth dates; not the words of the schema. */
const textsOf = (value: unknown): string[] =>
  typeof value === 'object' && value !== null
    ? Object.values(value).flatMap(textsOf)
    : typeof value === 'string' && /\d|_/.test(value)
      ? [value]
      : [];

describe('shrinkAsk()', () => {
  test('of each of the 250 recorded writes no value of a customer is left, and the answer stays', () => {
    expect(writes).toHaveLength(250);
    const worlds = new Map([2, 3].map((number) => [number, airlineRelease(number as 2 | 3)]));
    for (const [number, release] of worlds)
      for (const { tool, args, segment, user_id } of writes.filter((_, at) => at % 5 === number)) {
        const one = asked(tool, args, segment, user_id);
        const shrunk = shrinkAsk(airline, release, one);
        if (!shrunk.ok) throw new Error(shrunk.because);
        const left = JSON.stringify(shrunk.given);
        const words = new Set(['basic_economy', 'one_way', 'round_trip']);
        const found = [user_id, ...textsOf(args)].filter((text) => !words.has(text) && left.includes(text));
        expect([tool, found, shrunk.kept]).toEqual([tool, [], []]);
        const world = caseWorld(airline, release);
        const after = { ...one, given: shrunk.given };
        expect(runCase(after, world)).toMatchObject({ verdict: runCase(one, world).verdict });
      }
  });

  test('what was equal stays equal: the vouched reservation is still the one that is cancelled', () => {
    const one = asked('cancel_reservation', { reservation_id: 'Q1W2E3' }, 'gold', 'mia', 'Q1W2E3');
    const shrunk = shrinkAsk(airline, airlineRelease(3), one);
    if (!shrunk.ok) throw new Error(shrunk.because);
    const { args, attributes } = shrunk.given;
    expect(args?.reservation_id).toBe(attributes?.cancellable);
    expect(args?.reservation_id).not.toBe('Q1W2E3');
  });

  test('a figure that the answer turns on is kept and named', () => {
    const one = asked('send_certificate', { user_id: 'mia_li_3668', amount: 700 }, 'gold', 'mia');
    expect(shrinkAsk(airline, airlineRelease(3), one)).toMatchObject({
      ok: true,
      kept: ['args.amount'],
      given: { args: { amount: 700 } },
    });
  });
});
