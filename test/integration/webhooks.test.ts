import { expect, test } from 'vitest';
import { createAlertActivities } from '../../activities/alerts.ts';
import { raiseAlert } from '../../src/records/alert.ts';
import { AGENT_YAML, givenAgent } from '../support/fixtures.ts';
import { openReceiver } from '../support/receiver.ts';
import { createTestServices } from '../support/services.ts';

test('an alert about everything goes to each agent’s webhook once, whatever another one answers', async () => {
  const services = await createTestServices();
  const [broken, good] = await Promise.all([openReceiver(), openReceiver()]);
  try {
    broken.answers.push(503, 500);
    for (const [name, { url }] of Object.entries({ desk: broken, lounge: good }))
      await givenAgent(
        services,
        `${AGENT_YAML.replace('agent: desk', `agent: ${name}`)}webhook: { url: "${url}" }\n`,
      );
    const id = await raiseAlert(services.db.sql, 'switch.disabled', null, services.clock.now(), {});
    const deliver = () =>
      createAlertActivities({ services, webhookSecret: 'a secret of the test' }).deliverAlert(id);
    await expect(deliver()).rejects.toThrow('status 503');
    await expect(deliver()).rejects.toThrow('status 500');
    expect(await deliver()).toMatchObject({ webhook: 'sent' });
    expect(await deliver()).toMatchObject({ webhook: 'sent' });
    expect([broken.received.length, good.received.length]).toEqual([3, 1]);
  } finally {
    await Promise.all([broken[Symbol.asyncDispose](), good[Symbol.asyncDispose]()]);
    await services.close();
  }
});
