import { parentPort, workerData } from 'node:worker_threads';
import { spreadOf } from './measure.ts';

/** Asks again and again for a while, on a thread of its own: how long each answer took, and how many were refused. */
const { url, headers, forMs } = workerData as { url: string; headers: Record<string, string>; forMs: number };
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
parentPort?.postMessage({ ...spreadOf(tookMs), refused });
