import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Role } from '../../../src/actor.ts';
import { readConfig } from '../../../src/config.ts';
import { type Portcullis as Service, startPortcullis } from '../../../src/server.ts';
import { insertToken } from '../../../src/tokens/tokens.ts';
import { type Api, createApi } from './api.ts';
import { type Desk, startDesk } from './desk-process.ts';
import type { DemoOptions } from './options.ts';

export const AGENT = 'airline-desk';
/** How long a write takes at the desk: set, so that some are under way when the switch is pulled. */
export const DESK_WORK_MS = 120;

/** Who acts in the demo: every one by a token of their own, through the HTTP API. */
export interface Cast {
  agentToken: string;
  answerKey: Api;
  viewer: Api;
  reporter: Api;
  manager: Api;
  /** Another owner, who applied no release. */
  secondOwner: Api;
  onCall: Api;
  auditor: Api;
}

export interface Stage {
  service: Service;
  dataFolder: string;
  desk: Desk;
  cast: Cast;
  stop(): Promise<void>;
}

const fileOf = (name: string): string => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');

/** Service and desk up, on free ports and a data folder of their own. */
export async function setStage(options: DemoOptions, say: (line: string) => void): Promise<Stage> {
  const { env } = process;
  if (options.slack && !(env.SLACK_BOT_TOKEN && env.SLACK_APP_TOKEN)) {
    throw new Error('--slack needs SLACK_BOT_TOKEN and SLACK_APP_TOKEN in the environment');
  }
  const dataFolder = mkdtempSync(join(tmpdir(), 'portcullis-demo-'));
  const config = readConfig({
    PORTCULLIS_DATA: dataFolder,
    PORTCULLIS_PORT: '0',
    PORTCULLIS_DAY: options.day,
    PORTCULLIS_LOG_LEVEL: env.PORTCULLIS_LOG_LEVEL || 'silent',
    TEMPORAL_ADDRESS: env.TEMPORAL_ADDRESS,
    ...(options.slack ? { SLACK_BOT_TOKEN: env.SLACK_BOT_TOKEN, SLACK_APP_TOKEN: env.SLACK_APP_TOKEN } : {}),
    ...(options.slack ? { SLACK_API_URL: env.SLACK_API_URL } : {}),
  });
  const service = await startPortcullis(config, { say });
  try {
    const desk = await startDesk(`${service.url}/.well-known/jwks.json`, DESK_WORK_MS);
    const cast = await castOf(service);
    const stop = async () => {
      await desk.stop();
      await service.stop();
    };
    return { service, dataFolder, desk, cast, stop };
  } catch (error) {
    await service.stop();
    throw error;
  }
}

async function castOf({ services, url }: Service): Promise<Cast> {
  const token = async (roles: Role[], more: { agent?: string; person?: string } = {}) =>
    (await insertToken(services.db.sql, services.clock.now(), 'demo', { roles, ...more })).token;
  const api = async (roles: Role[], person?: string) => createApi(url, await token(roles, { person }));
  return {
    agentToken: await token(['agent'], { agent: AGENT }),
    answerKey: await api(['approver'], 'answer-key'),
    viewer: await api(['approver'], 'viewer'),
    reporter: createApi(url, await token(['agent'], { agent: AGENT })),
    // A gate is an owner's to approve.
    manager: await api(['release-manager'], 'olga'),
    secondOwner: await api(['release-manager'], 'max'),
    onCall: await api(['on-call'], 'omar'),
    auditor: await api(['auditor']),
  };
}

interface Manifest {
  people: Record<string, { name: string }>;
  approvers: Record<string, string[]>;
  assertions?: { jwks: string; issuer: string };
  slack?: { channel: string };
}

/** Applies the example, adopts release 1 and starts the rollout of release 2. Returns the rollout's id and start. */
export async function startGoverning(
  { desk, cast }: Stage,
  slack: string | undefined,
): Promise<{ id: string; startedAt: string }> {
  const { manager } = cast;
  const agent = parse(fileOf('agent.yaml')) as Manifest;
  const people = {
    ...agent.people,
    'answer-key': { name: 'Answer key (stand-in)' },
    viewer: { name: 'You' },
  };
  const group = [...(agent.approvers.desk ?? []), 'answer-key', 'viewer'];
  await manager.put(`/v1/agents/${AGENT}`, {
    ...agent,
    people,
    approvers: { ...agent.approvers, desk: group },
    assertions: { jwks: `${desk.url}/.well-known/jwks.json`, issuer: desk.url },
    ...(slack ? { slack: { channel: slack } } : {}),
  });
  await manager.post(`/v1/agents/${AGENT}/releases`, fileOf('release-1.yaml'));
  await manager.post(`/v1/agents/${AGENT}/releases/1/adopt`, {
    reason: 'the first release: every write asks',
  });
  await manager.post(`/v1/agents/${AGENT}/releases`, fileOf('release-2.yaml'));
  await manager.put(`/v1/agents/${AGENT}/rates`, parse(fileOf('rates.yaml')));
  return manager.post('/v1/rollouts', {
    agent: AGENT,
    release: '2',
    reason: 'cancellations may run unasked',
    noneYet: 'the recording begins here: nothing has gone wrong that a case could be of',
  });
}
