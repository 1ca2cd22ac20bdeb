import { expect, test } from 'vitest';
import { displayWidth } from '../../../../src/cli/text/render.ts';
import { rolloutText } from '../../../../src/cli/text/rollout-text.ts';
import type { WireRollout } from '../../../../src/cli/wire.ts';
import { judgeArms } from '../../../../src/domain/evidence/arms.ts';
import { judgeFacts } from '../../../../src/domain/evidence/judge-facts.ts';

const verdict = (count: boolean) => ({
  segment: 'gold',
  metric: 'wrong',
  ...judgeFacts({
    kind: 'rate',
    limit: 0.05,
    alpha: 0.05,
    weight: 0.1,
    minSample: 0,
    breachedBefore: false,
    matureBefore: 0,
    builds: ['1'],
    buckets: [{ segment: 'gold', build: '1', day: 30, events: 100_000, harms: 14, known: 100_000 }],
    ...(count && {
      count: {
        perDay: { gold: 1.2 },
        exposed: [{ segment: 'gold', fromDay: 30, toDay: 30, exposure: 10_000 }],
        harms: [{ segment: 'gold', day: 30, harms: 14 }],
        weight: 0.1,
        firedBefore: false,
      },
    }),
  }),
  limit: 0.05,
});

const status = (more: object): WireRollout =>
  ({
    id: 'desk-2',
    agent: 'desk',
    release: '2',
    status: 'running',
    phase: 'constrained',
    step: 2,
    steps: 3,
    plan: 'day 31 of 90',
    day: 31,
    startedAt: '2026-01-01T00:00:00Z',
    startedBy: 'olga',
    waitsFor: [],
    planned: [],
    worthALook: [],
    waivers: [],
    baseline: [],
    segments: [
      {
        segment: 'gold',
        state: 'exposed',
        exposurePercent: 100,
        generation: 1,
        release: '2',
        verdicts: [verdict(true)],
      },
    ],
    pooled: [],
    pairs: [],
    arms: [],
    baselineDigest: 'ab'.repeat(32),
    digests: {},
    dayMs: 86_400_000,
    subjects: { agentsWord: [], perHour: 100, lastHour: 0, surplus: 0 },
    builds: [],
    ...more,
  }) as unknown as WireRollout;

const limit = { segment: 'gold', metric: 'wrong', writes: 600, unasked: 0, days: 30, declared: false };

test('the count stands on the line below its rate, with what the time allows', () => {
  const text = rolloutText(status({ perDay: [{ ...limit, perDay: 1.2 }] }), 80);
  const rows = text.split('\n').filter((line) => /^ *gold +wrong/.test(line));
  expect(rows[0]).toContain('14');
  expect(rows[1]).toMatch(/gold +wrong a day +breach +- +14 +14 of 1\.2/);
  expect(text).toContain('gold wrong: 1.2, by the baseline: 600 in 30 days');
  expect(text.split('\n').filter((line) => displayWidth(line) > 80)).toEqual([]);
});

test('a rate without a count is named, with how to give it one', () => {
  const text = rolloutText(status({ perDay: [{ ...limit, writes: 0, perDay: null }] }), 80).replace(
    /\s+/g,
    ' ',
  );
  expect(text).toContain('gold wrong: no limit of harms a day');
  expect(text).toContain('Set perDay in its guardrail');
});

test('a rollout that began before harms were counted says so, one before its baseline nothing yet', () => {
  expect(rolloutText(status({ perDay: undefined }), 80)).toContain('began before harms a day were counted');
  const early = status({ perDay: undefined, baselineDigest: undefined });
  expect(rolloutText(early, 80)).not.toContain('Harms a day');
});

test('how subjects split is shown beside what is assigned, and what to do where they do not', () => {
  const strata = [{ exposure: 2_500, treated: 41, control: 19 }];
  const arms = [{ segment: 'gold', generation: 1, ...judgeArms(strata) }];
  const sound = rolloutText(status({ arms }), 200);
  expect(sound).toContain('gold: 41 of 60 subjects that were new while 25 % were exposed are in');
  expect(sound).not.toContain('NOT AS ASSIGNED');
  const found = status({
    arms: arms.map((one) => ({ ...one, mismatchedAt: '2026-02-01T00:00:00Z' })),
    waitsFor: [{ for: 'arms', segment: 'gold', detail: 'gold: its arms are not as assigned' }],
    may: ['rollback', 'accept-arms'],
  });
  expect(rolloutText(found, 200)).toContain('15 would be: NOT AS ASSIGNED, nothing widens');
  for (const verb of ['rollback', 'accept-arms'])
    expect(rolloutText(found, 200)).toContain(`portcullis rollout ${verb} desk-2 --segment gold --reason`);
  const accepted = { at: '2026-02-03T10:00:00Z', by: 'olga', because: 'reads are mended' };
  const anew = status({ arms: [{ segment: 'gold', generation: 1, ...judgeArms([], 1), accepted }] });
  expect(rolloutText(anew, 300)).toMatch(
    /gold: since its arms were accepted no subjects yet \(e-value 1 of 2,?000\); accepted as they were by olga, 2026-02-03.+: reads are mended/,
  );
});

test('of one that completed it is said until when it is watched', () => {
  const completed = { status: 'completed', endedAt: '2026-04-01T00:00:00Z' };
  const watched = (more: object) =>
    /Watched +(.+)/.exec(rolloutText(status({ ...completed, ...more }), 120))?.[1];
  expect(watched({})).toBe('as long as its release is in force');
  expect(watched({ watchedUntil: '2026-05-01T00:00:00Z', watchOver: false })).toMatch(
    /^until 2026-05-01.+[^r]$/,
  );
  expect(watched({ watchedUntil: '2026-05-01T00:00:00Z', watchOver: true })).toMatch(
    /^until 2026-05-01.+, over$/,
  );
  expect(rolloutText(status({}), 120)).not.toContain('Watched');
});
