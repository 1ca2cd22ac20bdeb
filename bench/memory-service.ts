import { readConfig } from '../src/config.ts';
import { startPortcullis } from '../src/server.ts';
import { givenGoverned } from './governed.ts';

/** What the process of the API holds, in bytes. */
export interface Held {
  /** What is left after a collection. */
  heap: number;
  rss: number;
}

/** The service in a process of its own, so that what it holds is nobody else's; asked by messages. */
const running = await startPortcullis(readConfig(process.env, ['api']));
const { agentHeaders } = await givenGoverned(running);
process.on('message', () => {
  globalThis.gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  process.send?.({ heap: heapUsed, rss } satisfies Held);
});
process.once('disconnect', () => void running.stop().finally(() => process.exit(0)));
process.send?.({ url: running.url, headers: agentHeaders });
