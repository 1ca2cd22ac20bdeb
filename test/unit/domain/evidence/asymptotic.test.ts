import { describe, expect, it } from 'vitest';
import {
  growthbookHalfWidth,
  growthbookRho,
  normalMixtureBound,
  normalQuantile,
  rateSample as sampleOf,
  sequencesOf,
  statsigHalfWidth,
} from '../../../../src/domain/evidence/asymptotic.ts';

const rateSample = (events: number, harms: number) => sampleOf({ events, harms });

describe('what other products would say of two arms (STATISTICS 4.7, for display only)', () => {
  it('is what they publish', () => {
    // gbstats tests.py and confseq 0.0.11.
    expect(growthbookRho(0.05, 5_000)).toBeCloseTo(0.0355776885, 10);
    expect(growthbookHalfWidth(1, 1_000, 0.05)).toBeCloseTo(0.099688351, 9);
    expect(normalMixtureBound(100, 0.05, 100)).toBeCloseTo(30.3520899, 7);
    // Tables of the normal distribution.
    expect(normalQuantile(0.05)).toBeCloseTo(1.6448536269514722, 12);
    expect(normalQuantile(0.025)).toBeCloseTo(1.959963984540054, 12);
    expect(normalQuantile(1e-9)).toBeCloseTo(5.99780701500769, 10);
  });

  it('puts each lower bound below the difference, and nearer to it with more events', () => {
    const boundsAt = (events: number) =>
      sequencesOf(rateSample(events, events / 10), rateSample(events, events / 50), 0.05);
    const [few, many] = [boundsAt(100), boundsAt(10_000)];
    expect(few.map(({ as }) => as)).toEqual(['growthbook', 'statsig', 'eppo']);
    for (const [at, { lower }] of few.entries()) {
      expect(lower).toBeLessThan(0);
      expect(many[at]?.lower).toBeGreaterThan(0.05);
      expect(many[at]?.lower).toBeLessThan(0.08);
    }
    expect(few[2]?.upper).toBeGreaterThan(0.08);
  });

  it('says nothing of an arm without events, and nothing infinite of one without harm', () => {
    expect(sequencesOf(rateSample(0, 0), rateSample(10, 1), 0.05)).toEqual([]);
    expect(statsigHalfWidth(rateSample(10, 0), rateSample(10, 0), 0.05)).toBe(0);
    for (const { lower } of sequencesOf(rateSample(10, 0), rateSample(10, 0), 0.05)) expect(lower).toBe(0);
  });

  it('finds a difference about as soon as STATISTICS says they do: 2 % against 10 %', () => {
    const found = { growthbook: 0, statsig: 0, eppo: 0 };
    for (let events = 10; events < 2_000; events += 1)
      for (const { as, lower } of sequencesOf(
        rateSample(events, events * 0.1),
        rateSample(events, events * 0.02),
        0.05,
      ))
        if (lower > 0 && found[as] === 0) found[as] = events;
    // Medians over random streams there are 233 and 188; this is the expected stream.
    expect(found.growthbook).toBeGreaterThan(150);
    expect(found.growthbook).toBeLessThan(320);
    expect(found.statsig).toBeGreaterThan(120);
    expect(found.statsig).toBeLessThan(280);
  });
});
