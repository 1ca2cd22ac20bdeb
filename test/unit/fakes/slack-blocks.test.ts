import { WebClient } from '@slack/web-api';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Json } from '../../fakes/slack/json.ts';
import { type FakeSlack, startFakeSlack } from '../../fakes/slack/server.ts';

let slack: FakeSlack;

/** Calls a method past the client's argument types: what it sends is what is tested. */
async function refused(method: string, args: Json): Promise<{ error: string; messages: string[] }> {
  const response = await fetch(slack.url + method, {
    method: 'POST',
    headers: { authorization: `Bearer ${slack.tokens.bot}`, 'content-type': 'application/json' },
    body: JSON.stringify(args),
  });
  const body = (await response.json()) as { error?: string; response_metadata?: { messages?: string[] } };
  return { error: body.error ?? 'none', messages: body.response_metadata?.messages ?? [] };
}

const text = (length: number) => 'x'.repeat(length);
const plain = (length: number) => ({ type: 'plain_text', text: text(length) });
const mrkdwn = (length: number) => ({ type: 'mrkdwn', text: text(length) });
const times = <T>(count: number, make: (i: number) => T) => Array.from({ length: count }, (_, i) => make(i));
const button = (extra: Json = {}) => ({ type: 'button', text: plain(5), action_id: 'go', ...extra });
const withButton = (extra: Json) => ({ type: 'actions', elements: [button(extra)] });
const option = (length: number) => ({ text: plain(3), value: text(length) });
const withConfirm = (extra: Json) => withButton({ confirm: { text: plain(3), ...extra } });
const input = (extra: Json) => ({
  type: 'input',
  label: plain(3),
  element: { type: 'plain_text_input', action_id: 'why', ...extra },
});
const modal = (extra: Json = {}) => ({
  type: 'modal',
  title: plain(5),
  submit: plain(4),
  blocks: [],
  ...extra,
});

beforeEach(async () => {
  slack = await startFakeSlack({
    users: [{ id: 'U1' }],
    channels: [{ id: 'C1', name: 'approvals', members: ['U1'] }],
  });
});
afterEach(() => slack.stop());

describe('blocks of a message', () => {
  const BAD: [string, Json[], string][] = [
    [
      '51 blocks',
      times(51, () => ({ type: 'divider' })),
      'no more than 50 items allowed [json-pointer:/blocks]',
    ],
    ['a section of 3001', [{ type: 'section', text: mrkdwn(3001) }], 'must be less than 3001 characters'],
    ['an empty section', [{ type: 'section', text: mrkdwn(0) }], 'must be more than 0 characters'],
    ['a section of nothing', [{ type: 'section' }], 'must define either'],
    ['11 fields', [{ type: 'section', fields: times(11, () => mrkdwn(1)) }], 'no more than 10 items'],
    ['a field of 2001', [{ type: 'section', fields: [mrkdwn(2001)] }], 'must be less than 2001 characters'],
    ['a header of 151', [{ type: 'header', text: plain(151) }], 'must be less than 151 characters'],
    ['a mrkdwn header', [{ type: 'header', text: mrkdwn(5) }], 'unsupported type: mrkdwn'],
    [
      '11 context elements',
      [{ type: 'context', elements: times(11, () => mrkdwn(1)) }],
      'no more than 10 items',
    ],
    ['no actions', [{ type: 'actions', elements: [] }], 'no fewer than 1 items'],
    [
      '26 buttons',
      [{ type: 'actions', elements: times(26, (i) => button({ action_id: `a${i}` })) }],
      'no more than 25',
    ],
    ['a button text of 76', [withButton({ text: plain(76) })], 'must be less than 76 characters'],
    ['a button value of 2001', [withButton({ value: text(2001) })], 'must be less than 2001 characters'],
    [
      'a button url of 3001',
      [withButton({ url: `https://x/${text(2991)}` })],
      'must be less than 3001 characters',
    ],
    ['a button that is no url', [withButton({ url: 'javascript:1' })], 'invalid url'],
    ['an accessibility label of 76', [withButton({ accessibility_label: text(76) })], 'must be less than 76'],
    ['a style unknown', [withButton({ style: 'default' })], 'enum value'],
    ['a property unknown', [withButton({ colour: 'red' })], 'invalid additional property: colour'],
    ['an action_id of 256', [withButton({ action_id: text(256) })], 'must be less than 256 characters'],
    ['a block_id of 256', [{ type: 'divider', block_id: text(256) }], 'must be less than 256 characters'],
    [
      'a block_id twice',
      times(2, () => ({ type: 'divider', block_id: 'same' })),
      '`block_id` already exists',
    ],
    [
      'an action_id twice',
      [{ type: 'actions', elements: times(2, () => button()) }],
      '`action_id` already exists',
    ],
    ['a confirm title of 101', [withConfirm({ title: plain(101) })], 'must be less than 101 characters'],
    ['a confirm text of 301', [withConfirm({ text: plain(301) })], 'must be less than 301 characters'],
    ['a confirm button of 31', [withConfirm({ confirm: plain(31) })], 'must be less than 31 characters'],
    ['a deny button of 31', [withConfirm({ deny: plain(31) })], 'must be less than 31 characters'],
    [
      'an option value of 76',
      [{ type: 'actions', elements: [{ type: 'static_select', action_id: 's', options: [option(76)] }] }],
      'must be less than 76 characters',
    ],
    ['markdown of 12,001', [{ type: 'markdown', text: text(12_001) }], 'must be less than 12001 characters'],
    [
      'markdown of 12,001 in two',
      times(2, () => ({ type: 'markdown', text: text(6001) })),
      'markdown blocks together',
    ],
    ['a block unknown', [{ type: 'hologram' }], 'unsupported type: hologram [json-pointer:/blocks/0/type]'],
    ['an alert in a message', [{ type: 'alert', text: plain(3) }], 'unsupported type: alert'],
    [
      'a container of 11',
      [{ type: 'container', title: plain(3), child_blocks: times(11, () => ({ type: 'divider' })) }],
      'no more than 10 items',
    ],
    [
      '101 rows',
      [{ type: 'table', rows: times(101, () => [{ type: 'raw_text', text: 'x' }]) }],
      'no more than 100',
    ],
  ];
  test.each(BAD)('refuses %s', async (_, blocks, message) => {
    const answer = await refused('chat.postMessage', { channel: 'C1', text: 't', blocks });
    expect(answer.error).toBe('invalid_blocks');
    expect(answer.messages.join()).toContain(message);
    expect(slack.messages('C1')).toEqual([]);
  });

  test('takes what lies exactly on the limits, counted in code points', async () => {
    const blocks = [
      { type: 'section', text: { type: 'mrkdwn', text: '😀'.repeat(3000) } },
      { type: 'header', text: plain(150) },
      withButton({ text: plain(75), value: text(2000), accessibility_label: text(75), style: 'danger' }),
      ...times(47, () => ({ type: 'divider' })),
    ];
    expect(await refused('chat.postMessage', { channel: 'C1', text: text(40_000), blocks })).toMatchObject({
      error: 'none',
    });
  });
});

describe('modals and Home tabs', () => {
  const BAD: [string, Json, string][] = [
    [
      'a title of 25',
      modal({ title: plain(25) }),
      'must be less than 25 characters [json-pointer:/view/title/text]',
    ],
    ['a submit of 25', modal({ submit: plain(25) }), 'must be less than 25 characters'],
    ['a close of 25', modal({ close: plain(25) }), 'must be less than 25 characters'],
    ['no title', { type: 'modal', blocks: [] }, 'missing required field: title'],
    [
      'an input without submit',
      { type: 'modal', title: plain(3), blocks: [input({})] },
      'missing required field: submit',
    ],
    [
      'private_metadata of 3001',
      modal({ private_metadata: text(3001) }),
      'must be less than 3001 characters',
    ],
    ['a callback_id of 256', modal({ callback_id: text(256) }), 'must be less than 256 characters'],
    ['101 blocks', modal({ blocks: times(101, () => ({ type: 'divider' })) }), 'no more than 100 items'],
    ['max_length 3001', modal({ blocks: [input({ max_length: 3001 })] }), 'an integer from 1 to 3000'],
    [
      'initial text of 3001',
      modal({ blocks: [input({ initial_value: text(3001) })] }),
      'must be less than 3001',
    ],
    ['a property unknown', modal({ submit_disabled: true }), 'invalid additional property: submit_disabled'],
  ];
  test.each(BAD)('refuses %s', async (_, view, message) => {
    const answer = await refused('views.open', { trigger_id: 'any', view });
    expect(answer.error).toBe('invalid_arguments');
    expect(answer.messages.join()).toContain(message);
  });

  test('refuses a trigger id that is unknown, and a view that is not there', async () => {
    expect(await refused('views.open', { trigger_id: '1.2.x', view: modal() })).toMatchObject({
      error: 'invalid_trigger_id',
    });
    expect(await refused('views.update', { view_id: 'V1', view: modal() })).toMatchObject({
      error: 'not_found',
    });
  });

  test('publishes a Home tab again and again as the same view, and guards it by hash', async () => {
    const view = { type: 'home' as const, blocks: [] };
    const client = new WebClient(slack.tokens.bot, { slackApiUrl: slack.url });
    const first = await client.views.publish({ user_id: 'U1', view });
    const second = await client.views.publish({ user_id: 'U1', view, hash: first.view?.hash });
    expect(second.view?.id).toBe(first.view?.id);
    const stale = await refused('views.publish', { user_id: 'U1', view, hash: first.view?.hash });
    expect(stale.error).toBe('hash_conflict');
  });
});
