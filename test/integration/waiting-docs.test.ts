import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCallbackActivities } from '../../activities/callbacks.ts';
import { applyAgent } from '../../src/agents/apply.ts';
import { answerAction } from '../../src/approvals/answer.ts';
import { shortId } from '../../src/cli/text/ids.ts';
import { systemClock } from '../../src/clock.ts';
import { freePort } from '../../src/embedded/supervised-process.ts';
import { sequenceLog } from '../../src/log/sequence.ts';
import { givenApi, type TestApi } from '../support/api.ts';
import {
  AGENT_YAML,
  agentFrom,
  approverActor,
  givenPendingAction,
  managerActor,
} from '../support/fixtures.ts';
import { createTestServices } from '../support/services.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SECRET = 'a secret of the docs test';
const page = readFileSync(`${ROOT}docs/waiting.md`, 'utf8');
const blocks = (kind: string): string[] =>
  [...page.matchAll(new RegExp(`\`\`\`${kind}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, text = '']) => text);
const [pollSh = '', eventsSh = '', cliSh = ''] = blocks('sh');
const [pollTs = '', eventsTs = '', receiverTs = ''] = blocks('ts');

let api: TestApi;
let url: string;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'portcullis-docs-'));
  api = await givenApi(() => createTestServices());
  url = await api.app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await api.app.close();
  await api.services.close();
  rmSync(folder, { recursive: true });
});

/** A denied action, all of it numbered. */
async function givenDenied(): Promise<string> {
  const { id } = await givenPendingAction(api.services);
  await answerAction(api.services, approverActor(), { id, verdict: 'deny', reason: 'Ask first' });
  await sequenceLog(api.services.db.sql);
  return id;
}

/** Runs an example as it stands in the page, until it ends or has printed enough. */
function run(command: string[], env: Record<string, string>, enough: RegExp, meanwhile = async () => {}) {
  return new Promise<string>((resolve, reject) => {
    const [file = '', ...args] = command;
    const child = spawn(file, args, { cwd: ROOT, env: { ...process.env, ...env } });
    let out = '';
    let begun = false;
    const end = (say: () => void) => {
      child.kill();
      say();
    };
    const onText = (text: Buffer) => {
      out += String(text);
      if (enough.test(out)) end(() => resolve(out));
      else if (!begun && /^ready/m.test(out)) {
        begun = true;
        void meanwhile().catch((error) => end(() => reject(error)));
      }
    };
    child.stdout.on('data', onText);
    child.stderr.on('data', onText);
    child.on('close', () => (enough.test(out) ? resolve(out) : reject(new Error(`it printed only: ${out}`))));
  });
}

const shell = (text: string): string[] => [
  'bash',
  '-c',
  text.replaceAll('http://127.0.0.1:8080', url).replace('npx portcullis', 'node bin/portcullis.js'),
];

function script(name: string, text: string): string[] {
  const file = join(folder, `${name}.mts`);
  writeFileSync(file, text.replaceAll("'./src/sdk/index.ts'", `'${ROOT}src/sdk/index.ts'`));
  return ['node', '--import', 'tsx', file];
}

const environment = (ID: string) => ({
  ID,
  TOKEN: api.as.agent.token,
  PORTCULLIS_URL: url,
  PORTCULLIS_TOKEN: api.as.agent.token,
});

test('the page has the examples that are run here', () => {
  expect([blocks('sh').length, blocks('ts').length]).toEqual([3, 3]);
});

test('long poll by curl and by the SDK', async () => {
  const id = await givenDenied();
  expect(await run(shell(pollSh), environment(id), /"denyReason":"Ask first"/)).toContain('"state":"denied"');
  expect(await run(script('poll', pollTs), environment(id), /^denied Ask first$/m)).toBe(
    'denied Ask first\n',
  );
});

test('events by curl, the CLI and the SDK', async () => {
  const id = await givenDenied();
  const message = new RegExp(`event: action.denied\\ndata: .*"action":"${id}"`);
  const streamed = await run(shell(eventsSh), environment(id), message);
  // The page shows the fields as they come.
  const [, shown = ''] = /^data: (.*)$/m.exec(blocks('text')[0] ?? '') ?? [];
  const [, came = ''] = /^data: (.*"action.denied".*)$/m.exec(streamed) ?? [];
  expect(Object.keys(JSON.parse(came))).toEqual(Object.keys(JSON.parse(shown)));
  await run(shell(cliSh), environment(id), new RegExp(`action.denied +${shortId(id)} desk`));
  const seen = await run(script('events', eventsTs), environment(id), /action\.denied denied\n$/);
  expect(seen).toMatch(/^\d+ action\.asked pending\n\d+ action\.denied denied\n$/);
});

test('the receiver takes a callback once and refuses what is not signed', async () => {
  const id = await givenDenied();
  const port = await freePort();
  const address = `http://127.0.0.1:${port}/portcullis`;
  const { services } = api;
  await applyAgent(services, managerActor(), agentFrom(`${AGENT_YAML}callback: { url: "${address}" }\n`));
  const { deliverCallback } = createCallbackActivities({
    services: { ...services, db: services.db, clock: systemClock },
    webhookSecret: SECRET,
  });
  const input = { actionId: id, revision: 2, state: 'denied', at: '2026-01-01T00:00:00.000Z' } as const;
  const statuses: number[] = [];
  const meanwhile = async () => {
    statuses.push((await fetch(address, { method: 'POST', body: '{}' })).status);
    await deliverCallback(input);
    await deliverCallback(input);
    await deliverCallback({ ...input, revision: 3 });
  };
  const env = { PORTCULLIS_WEBHOOK_SECRET: SECRET, PORT: String(port) };
  const twice = /(action\.denied .*\n[\s\S]*){2}/;
  const printed = await run(script('receiver', receiverTs), env, twice, meanwhile);
  expect(printed.match(new RegExp(`action\\.denied ${id} Ask first`, 'g'))).toHaveLength(2);
  expect(statuses).toEqual([401]);
  const [sent = ''] = blocks('json');
  expect(JSON.parse(sent)).toMatchObject({ type: 'action.denied', data: { denyReason: expect.any(String) } });
});
