import { describe, expect, test } from 'vitest';
import { compareTasks } from '../../../../src/domain/business/arms.ts';
import type { CountedTasks } from '../../../../src/domain/business/counts.ts';
import { armsSentence } from '../../../../src/domain/business/words.ts';
import { seeded } from '../../../support/seeded.ts';
import { tasks } from './given.ts';

const at = (quarter: number) => new Date(Date.UTC(2026, 0, 1) + quarter * 21_600_000);
const candidate = (quarter: number, started: number, right: number) =>
  tasks({ arm: 'candidate', release: '2', period: at(quarter), started, done: started, right });
const control = (quarter: number, started: number, right: number) =>
  tasks({ arm: 'control', period: at(quarter), started, done: started, right });

describe('between arms', () => {
  test('a release that harms is said to cause it', () => {
    const [found] = compareTasks([candidate(0, 500, 350), control(0, 500, 450)]);
    expect(found).toMatchObject({ difference: -0.2, says: 'caused-worse' });
    expect(armsSentence(found as never)).toContain('The release caused -20 points');
  });

  test('what changed with the calendar is nobody’s effect', () => {
    // Everything became better while the candidate grew: pooled it looks better, within each quarter it is the same.
    const [found] = compareTasks([
      candidate(0, 50, 25),
      control(0, 950, 475),
      candidate(1, 950, 855),
      control(1, 50, 45),
    ]);
    expect(found?.difference).toBeCloseTo(0);
    expect(found?.says).toBe('not-shown');
  });

  test('arms that never ran beside each other compare to nothing', () => {
    const [found] = compareTasks([candidate(1, 400, 100), control(0, 400, 400)]);
    expect(found).toMatchObject({ difference: null, says: 'no-overlap' });
    expect(armsSentence(found as never)).toContain('nothing can be compared');
  });

  test('a handful proves nothing, however it looks', () => {
    expect(compareTasks([candidate(0, 8, 0), control(0, 8, 8)])[0]?.says).toBe('not-shown');
    expect(compareTasks([candidate(0, 40, 40), control(0, 40, 40)])[0]?.says).toBe('not-shown');
    expect(compareTasks([candidate(0, 40, 0), control(0, 40, 40)])[0]?.says).toBe('caused-worse');
  });

  test('without an effect hardly ever one is shown, also with a task or two a quarter', () => {
    const random = seeded(11);
    const drawn = (n: number) => Array.from({ length: n }, () => random() < 0.8).filter(Boolean).length;
    let shown = 0;
    for (let run = 0; run < 200; run++) {
      const all: CountedTasks[] = [];
      for (let quarter = 0; quarter < 120; quarter++) {
        const [m, n] = [random() < 0.5 ? 1 : 2, random() < 0.5 ? 1 : 3];
        all.push(candidate(quarter, m, drawn(m)), control(quarter, n, drawn(n)));
      }
      if (compareTasks(all)[0]?.says !== 'not-shown') shown++;
    }
    expect(shown).toBeLessThanOrEqual(4);
  });
});
