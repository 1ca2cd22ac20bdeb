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

test('on-call is paged once for what wakes people, and enabling resolves what disabling triggered', async () => {
  const services = await createTestServices();
  const pagerduty = await openReceiver();
  try {
    await givenAgent(services, AGENT_YAML);
    const pager = { routingKey: 'a'.repeat(32), url: pagerduty.url };
    const deliver = async (kind: Parameters<typeof raiseAlert>[1], facts: Record<string, unknown>) => {
      const id = await raiseAlert(services.db.sql, kind, 'desk', services.clock.now(), facts);
      const once = () => createAlertActivities({ services, pager }).deliverAlert(id);
      return { id, once, first: await once().catch((error: Error) => error.message) };
    };
    pagerduty.answers.push(429);
    const because = 'wrong above its limit of 0.05 (e-value 412)';
    const back = await deliver('rollout.rolled_back', { segment: 'gold', because, breachToRevokedMs: 40 });
    expect(back.first).toContain('status 429');
    expect(await back.once()).toMatchObject({ pager: 'sent' });
    expect(await back.once()).toMatchObject({ pager: 'sent' });
    expect((await deliver('rollout.completed', {})).first).toMatchObject({ pager: 'not paged' });
    await deliver('switch.disabled', { scope: 'agent/desk', actor: 'cleo', reason: 'runs wild' });
    await deliver('switch.enabled', { scope: 'agent/desk', actor: 'cleo', reason: 'mended' });
    services.clock.advance(1_000);
    pagerduty.answers.push(503);
    const late = await deliver('switch.disabled', { scope: 'tool/desk/pay', actor: 'cleo', reason: 'a try' });
    expect(late.first).toContain('status 503');
    await deliver('switch.enabled', { scope: 'tool/desk/pay', actor: 'cleo', reason: 'a try' });
    // Tried again after it was resolved it would wake people for nothing.
    expect(await late.once()).toMatchObject({ pager: 'enabled again' });
    const events = pagerduty.received.map(({ body }) => JSON.parse(body));
    expect(events.map((one) => one.event_action)).toEqual([
      ...['trigger', 'trigger', 'trigger', 'resolve'],
      ...['trigger', 'resolve'],
    ]);
    const [tried, paged, disabled, enabled] = events;
    expect(paged).toEqual(tried);
    expect(paged).toMatchObject({
      routing_key: pager.routingKey,
      event_action: 'trigger',
      dedup_key: `portcullis/alert/${back.id}`,
      payload: {
        summary: `desk: gold was rolled back: ${because}`,
        severity: 'critical',
        component: 'desk',
        group: 'gold',
        class: 'rollout.rolled_back',
        custom_details: { breachToRevokedMs: 40 },
      },
    });
    expect(disabled).toMatchObject({ event_action: 'trigger', payload: { severity: 'critical' } });
    expect(enabled).toEqual({
      routing_key: pager.routingKey,
      event_action: 'resolve',
      dedup_key: disabled.dedup_key,
    });
  } finally {
    await pagerduty[Symbol.asyncDispose]();
    await services.close();
  }
});
