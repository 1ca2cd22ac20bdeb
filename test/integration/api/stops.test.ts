import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { createApi } from '../../../src/api/server.ts';
import { describeWithServices } from '../../support/services.ts';

const WITHIN_MS = 15_000;

describeWithServices('the API stops', (make) => {
  test.each([
    ['nothing', ''],
    ['half a request', 'POST /v1/actions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 50\r\n\r\n{'],
  ])('although somebody is connected and has sent %s', async (_, sent) => {
    const app = await createApi(await make());
    const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
    const socket = connect(Number(port), '127.0.0.1')
      .on('error', () => {})
      .resume();
    await once(socket, 'connect');
    socket.write(sent);
    const gone = new Promise((resolve) => socket.once('close', resolve));
    const startedAt = performance.now();
    await app.close();
    expect(performance.now() - startedAt).toBeLessThan(WITHIN_MS);
    await gone;
  });
});
