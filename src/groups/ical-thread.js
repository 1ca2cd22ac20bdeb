// A thread of its own, started by ical.ts: it is ended from outside when a calendar's rule never ends.
import { parentPort, workerData } from 'node:worker_threads';
import { register } from 'tsx/esm/api';

register();
const { expandCalendar, expandTimes } = await import('./ical-expand.ts');
const { text, window, what } = workerData;
parentPort?.postMessage({ begun: true });
try {
  parentPort?.postMessage({
    shifts: what === 'times' ? expandTimes(text, window) : expandCalendar(text, window),
  });
} catch (error) {
  parentPort?.postMessage({ failure: error instanceof Error ? error.message : String(error) });
}
