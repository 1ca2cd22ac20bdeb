import { expect, test } from 'vitest';
import { isLinkLocal, outwardUrlSchema, shownAddress } from '../../../src/domain/address.ts';
import { withoutKeys } from '../../../src/domain/manifest/without-keys.ts';
import { AGENT_YAML, agentFrom } from '../../support/fixtures.ts';

const problemOf = (url: string): string | undefined =>
  outwardUrlSchema.safeParse(url).error?.issues.at(0)?.message;

test.each([
  'http://169.254.169.254/latest/meta-data/',
  'https://169.254.1.1',
  'http://2852039166/',
  'http://0xA9FEA9FE/',
  'http://0251.0376.0251.0376/',
  'http://169.254.169.254:8080/x',
  'http://[fe80::1]/',
  'http://[febf::1]/',
  'http://[::ffff:169.254.169.254]/',
  'http://[::169.254.169.254]/',
  'http://[64:ff9b::169.254.169.254]/',
  'http://[2002:a9fe:a9fe::1]/',
])('%s is refused: link-local', (url) => {
  expect(problemOf(url)).toContain('link-local');
});

test.each([
  'ftp://ours.example/x',
  'file:///etc/passwd',
  'javascript:alert(1)',
  'data:,x',
  'gopher://x',
  'nothing',
])('%s is refused: it is not http or https', (url) => {
  expect(problemOf(url)).toBe('is not an http or https address');
});

test.each([
  'https://hooks.ours.example/T0/B0/key?x=1',
  'http://localhost:9000/hook',
  'http://127.0.0.1:9000/hook',
  'http://10.0.0.7/hook',
  'http://[fd00::7]/hook',
  'http://[2001:db8::a9fe:1]/hook',
  'https://169.254.example.com/',
])('%s is taken', (url) => {
  expect(problemOf(url)).toBeUndefined();
});

test('what a resolver answers is judged the same', () => {
  for (const address of ['169.254.0.1', 'fe80::1%eth0', '::ffff:169.254.0.1', 'FE80::ABCD'])
    expect(isLinkLocal(address)).toBe(true);
  for (const address of ['169.253.0.1', '10.0.0.1', '127.0.0.1', '::1', 'fec0::1', 'ff02::1'])
    expect(isLinkLocal(address)).toBe(false);
});

test('readers see hosts and no keys, and what they see is refused as an address', () => {
  const secret = 's3cr3t';
  const yaml = `${AGENT_YAML}webhook: { url: "https://hooks.ours.example/${secret}" }
callback: { url: "https://agent.ours.example/cb?key=${secret}" }
assertions: { jwks: "https://idp.ours.example/keys?t=${secret}" }
freezes: [{ ical: "https://freezes.ours.example/${secret}.ics", reason: full }]
`.replace(
    'approvers: { desk: [ana, ben] }',
    `approvers: { desk: [ana, ben], night: { schedule: { ical: "https://calendar.ours.example/${secret}.ics" } } }`,
  );
  const agent = agentFrom(yaml);
  const shown = withoutKeys(agent);
  const text = JSON.stringify(shown);
  expect(text).not.toContain(secret);
  for (const host of ['hooks', 'agent', 'idp', 'calendar', 'freezes'])
    expect(text).toContain(`https://${host}.ours.example/`);
  expect({ ...shown, webhook: 0, callback: 0, assertions: 0, approvers: 0, freezes: 0 }).toEqual({
    ...agent,
    webhook: 0,
    callback: 0,
    assertions: 0,
    approvers: 0,
    freezes: 0,
  });
  expect(problemOf(shownAddress('https://hooks.ours.example/x'))).toContain('write the address itself');
  for (const url of ['https://ana:pw@ours.example/', 'https://key@ours.example/'])
    expect(problemOf(url)).toContain('user name or password');
});
