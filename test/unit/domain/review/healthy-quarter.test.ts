import { expect, test } from 'vitest';
import { thresholdLogE } from '../../../../src/domain/evidence/alpha.ts';
import { logE } from '../../../../src/domain/evidence/eprocess.ts';
import { colourOf } from '../../../../src/domain/review/weekly.ts';
import { seeded } from '../../../support/seeded.ts';

const QUARTERS = 60;
const CELLS = 24;
const WEEKS = 13;
const EVENTS_A_WEEK = 280;
const RATE = 0.05;
const ARROW = 0.1;

/** Harms of a week, by inversion one event at a time. */
function harmsOf(random: () => number): number {
  let harms = 0;
  for (let n = 0; n < EVENTS_A_WEEK; n++) if (random() < RATE) harms++;
  return harms;
}

test('on healthy quarters colour is rarer than one in twenty, where arrows of ten percent are on every page', () => {
  const random = seeded(20261121);
  let coloured = 0;
  let arrows = 0;
  for (let quarter = 0; quarter < QUARTERS; quarter++) {
    let isColoured = false;
    let hasArrow = false;
    for (let cell = 0; cell < CELLS; cell++) {
      let events = 0;
      let harms = 0;
      let last: number | undefined;
      let before = 'inconclusive';
      for (let week = 0; week < WEEKS; week++) {
        const now = harmsOf(random);
        if (last !== undefined && Math.abs(now - last) > ARROW * last) hasArrow = true;
        last = now;
        events += EVENTS_A_WEEK;
        harms += now;
        // The worst of what is healthy: its rate is its limit.
        const verdict = logE({ events, harms }, RATE) >= thresholdLogE(0.05, 1 / CELLS) ? 'breach' : before;
        if (colourOf({ verdict, before })) isColoured = true;
        before = verdict;
      }
    }
    if (isColoured) coloured++;
    if (hasArrow) arrows++;
  }
  expect(coloured / QUARTERS).toBeLessThanOrEqual(0.05);
  expect(arrows).toBe(QUARTERS);
});
