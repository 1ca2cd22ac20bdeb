// A thread of its own, started by ical.ts: it is ended from outside when a calendar's rule never ends.
import { parentPort, workerData } from 'node:worker_threads';
import { register } from 'tsx/esm/api';

register();
const { expandCalendar } = await import('./ical-expand.ts');
try {
  parentPort?.postMessage({ shifts: expandCalendar(workerData.text, workerData.window) });
} catch (error) {
  parentPort?.postMessage({ failure: error instanceof Error ? error.message : String(error) });
}
