import { spreadOf } from './measure.ts';

/** Asks again and again for a while, in a process of its own: how long each answer took, and how many were refused. */
const { url, headers, forMs } = JSON.parse(process.argv[2] ?? '') as {
  url: string;
  headers: Record<string, string>;
  forMs: number;
};
const until = performance.now() + forMs;
const tookMs: number[] = [];
let refused = 0;
while (performance.now() < until) {
  const askedAt = performance.now();
  const response = await fetch(url, { headers });
  await response.arrayBuffer();
  tookMs.push(performance.now() - askedAt);
  if (!response.ok) refused++;
}
process.send?.({ ...spreadOf(tookMs), refused });
