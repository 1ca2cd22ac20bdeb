import { readConfig } from '../../../src/config.ts';
import { startPortcullis } from '../../../src/server.ts';

/** The whole service in a process whose main thread stands still for as long as a message says. */
const running = await startPortcullis(readConfig(process.env));
process.on('message', ({ blockMs }: { blockMs: number }) => {
  process.send?.({ blocked: true }, () => {
    const until = performance.now() + blockMs;
    while (performance.now() < until);
    process.send?.({ free: true }, () => {});
  });
});
process.once('disconnect', () => void running.stop().finally(() => process.exit(0)));
process.send?.({ url: running.url, switchUrl: running.switchUrl });
