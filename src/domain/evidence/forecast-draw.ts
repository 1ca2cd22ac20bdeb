import type { BinaryCounts } from './eprocess.ts';
import type { Random } from './forecast.ts';

const NORMAL_FROM = 50;

/** Events of one day, and how many of them are harmful: both kinds come at random, independently. */
export function drawEvents(mean: number, rate: number, random: Random): BinaryCounts {
  const harms = poisson(mean * rate, random);
  return { events: harms + poisson(mean * (1 - rate), random), harms };
}

/** Knuth's way where the mean is small; the normal approximation, rounded, where it is not. */
function poisson(mean: number, random: Random): number {
  if (mean <= 0) return 0;
  if (mean >= NORMAL_FROM) {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal));
  }
  const least = Math.exp(-mean);
  let count = 0;
  for (let product = random(); product > least; product *= random()) count += 1;
  return count;
}
