import { writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import pino, { type Logger } from 'pino';
import { createActivities } from '../activities/index.ts';
import { ROLES } from './actor.ts';
import { listenAt } from './api/listen.ts';
import { createApi } from './api/server.ts';
import { SignInLinks } from './api/sign-in-links.ts';
import { startBackground, startGroups } from './background.ts';
import type { SlackPort } from './cards/posting/port.ts';
import { type Config, SERVICE_ROLES, type ServiceRole } from './config.ts';
import { KEYS_RELOADED_EVERY_MS, openKeys, type SealingSource } from './credentials/keys.ts';
import { findSealingKey, makeSealingKey } from './credentials/sealing-key.ts';
import { DatabaseClock } from './db/clock.ts';
import { openDatabase } from './db/database.ts';
import { prepareStore } from './db/prepare-store.ts';
import { shownUrl } from './db/shown-url.ts';
import { personFrom } from './domain/agent.ts';
import { openDataFolder } from './embedded/data-folder.ts';
import { storeFolder } from './embedded/postgres/address.ts';
import { type EmbeddedPostgres, startPostgres } from './embedded/postgres/server.ts';
import { findTemporalBinary } from './embedded/temporal-binary.ts';
import { startTemporalServer } from './embedded/temporal-server.ts';
import { Worlds } from './enforcement/world.ts';
import { createSources, type Sources } from './groups/sources.ts';
import { startLoop } from './loop.ts';
import { AskWriter } from './records/ask-writer.ts';
import { AfterBuffer } from './records/record-after.ts';
import type { Services, SwitchProcess } from './services.ts';
import { createSlackApp } from './slack/app.ts';
import { slackRoute } from './slack/http-route.ts';
import { startSwitchProcess } from './switch-process/supervise.ts';
import { listDisabled } from './switches/list.ts';
import { workflowBundle } from './temporal/bundle.ts';
import { installTemporalLog, type RunningWorker, startWorker } from './temporal/worker.ts';
import { insertToken } from './tokens/tokens.ts';

/** A running service, or the roles of one that this process has. */
export interface Portcullis {
  /** Where this process listens. */
  url: string;
  publicUrl: string;
  services: Services;
  /** Written when the store is embedded: url and a token with every role, for this machine's own CLI. */
  localTokenFile?: string;
  /** Signs a browser in as this machine's account, once; written with the token's file. */
  signInUrl?: string;
  /** Scopes of the switch that are off. */
  switchedOff: string[];
  /** Where the store is; with a folder and a version when it is our own. */
  database: { address: string; folder?: string; version?: string };
  /** Where the switch's own process listens, in a process whose surfaces drop the gate. */
  switchUrl?: string;
  temporalAddress: string;
  slack: boolean;
  stop(): Promise<void>;
}

export interface StartOptions {
  roles?: readonly ServiceRole[];
  /** Told what takes long, such as fetching a Temporal server the first time. */
  say?: Say;
}

type Say = (line: string) => void;
interface Store {
  url: string;
  embedded?: EmbeddedPostgres;
}
type Stop = () => Promise<unknown>;

const PORT_MAX = 65_535;
const LOCAL_TOKEN_RENEWED_MS = 12 * 3_600_000;

/** Puts every part together; the only place that does. */
export async function startPortcullis(config: Config, options: StartOptions = {}): Promise<Portcullis> {
  const roles = options.roles ?? SERVICE_ROLES;
  const log = pino({ level: config.logLevel });
  const stops: Stop[] = [];
  const stop = async () => {
    for (const one of stops.splice(0).reverse())
      await one().catch((error: unknown) => log.warn({ err: error }, 'while stopping'));
  };
  try {
    return await start(config, roles, log, stops, stop, options.say ?? (() => {}));
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(
  config: Config,
  roles: readonly ServiceRole[],
  log: Logger,
  stops: Stop[],
  stop: Stop,
  say: Say,
): Promise<Portcullis> {
  const { given, file } = config.sealing;
  const keyIsHere = given === undefined && dirname(file) === config.dataFolder;
  if (!config.databaseUrl || !config.temporal.address || keyIsHere) openDataFolder(config.dataFolder, say);
  const store = await openStore(config, stops, say);
  const services = await openServices(config, store, log, stops, say);
  const reloading = startLoop('keys', KEYS_RELOADED_EVERY_MS, () => services.keys.reload(), log);
  stops.push(reloading.stop);
  const temporal = await openTemporal(config, stops, say);
  const connection = Connection.lazy({ address: temporal.address });
  stops.push(() => connection.close());
  const client = new Client({ connection, namespace: config.temporal.namespace });
  const slack = config.slack ? await createSlackApp(services, config.slack) : undefined;
  const bySlack = roles.includes('slack') ? slack?.httpRequest : undefined;
  let worker: RunningWorker | undefined;
  const signIn = new SignInLinks(services.clock);
  const api = await createApi(services, {
    signIn,
    temporal: () => answers(client),
    allowedHosts: config.allowedHosts,
    worker: () => worker?.state(),
    trustProxy: config.trustProxy,
    mount: (app) => bySlack && slackRoute(app, bySlack),
  });
  const url = await listenAt(api, config, say);
  stops.push(() => api.close());
  services.publicUrl = config.publicUrl ?? url;
  if (roles.includes('api') || roles.includes('slack')) {
    services.switchProcess = await openSwitch(config, store, url, log, stops);
  }
  if (roles.includes('worker')) {
    installTemporalLog(log);
    worker = startWorker({
      address: temporal.address,
      namespace: config.temporal.namespace,
      bundle: await workflowBundle(),
      activities: createActivities({ services, slack: slack?.port, webhookSecret: config.webhookSecret }),
      client,
      log,
    });
    stops.push(worker.stop, startGroups(services, sourcesOf(config, slack?.port)).stop);
  }
  if (roles.includes('slack') && slack) {
    await slack.start();
    stops.push(slack.stop);
  }
  if (roles.includes('api')) {
    const background = startBackground(services, client);
    services.wake = background.wake;
    stops.push(background.stop);
  }
  const switchUrl = services.switchProcess?.url;
  const local = config.databaseUrl
    ? undefined
    : await keepLocalToken(config, services, { url, switchUrl }, stops);
  return {
    url,
    publicUrl: services.publicUrl,
    services,
    localTokenFile: local?.file,
    signInUrl: local && services.publicUrl + signIn.issue(local.tokenId),
    switchedOff: (await listDisabled(services.db.sql)).map(({ scope }) => scope),
    switchUrl,
    database: store.embedded
      ? { address: shownUrl(store.url), folder: store.embedded.folder, version: store.embedded.version }
      : { address: shownUrl(store.url) },
    temporalAddress: temporal.address,
    slack: slack !== undefined,
    stop: async () => void (await stop()),
  };
}

const sourcesOf = ({ pagerduty, dataFolder }: Config, slack: SlackPort | undefined): Sources =>
  createSources({ usersOfGroup: slack && ((groupId) => slack.usersOfGroup(groupId)), pagerduty, dataFolder });

const sealingOf = ({ sealing }: Config, say: Say): SealingSource => ({
  find: () => findSealingKey(sealing, say),
  make: () => makeSealingKey(sealing, say),
});

/** The operator's Postgres, or our own in the data folder. */
async function openStore(config: Config, stops: Stop[], say: Say): Promise<Store> {
  if (config.databaseUrl) return { url: config.databaseUrl };
  const embedded = await startPostgres({ folder: storeFolder(config.dataFolder), log: say });
  stops.push(() => embedded.stop());
  return { url: embedded.url, embedded };
}

async function openServices(
  config: Config,
  store: Store,
  log: Logger,
  stops: Stop[],
  say: Say,
): Promise<Services> {
  const db = await openDatabase({ url: store.url });
  stops.push(() => db.close());
  await prepareStore(db, { url: store.url, isOurs: store.embedded !== undefined });
  const clock = await DatabaseClock.start(db.sql);
  stops.push(async () => clock.stop());
  return {
    db,
    clock,
    dayMs: config.dayMs,
    keys: await openKeys(db, sealingOf(config, say), clock.now()),
    worlds: new Worlds(db.sql),
    retention: config.retention,
    asks: new AskWriter(db.sql, clock),
    after: new AfterBuffer(),
    log,
    publicUrl: config.publicUrl ?? '',
    wake: () => {},
  };
}

async function openTemporal(config: Config, stops: Stop[], say: Say): Promise<{ address: string }> {
  if (config.temporal.address) return { address: config.temporal.address };
  const { path } = await findTemporalBinary({ log: say });
  const server = await startTemporalServer({
    binary: path,
    namespace: config.temporal.namespace,
    dbFile: join(config.dataFolder, 'temporal.db'),
    logFile: join(config.dataFolder, 'temporal.log'),
  });
  stops.push(() => server.stop());
  return server;
}

/** Next to the API's port unless the environment says where. */
async function openSwitch(
  { host, switchPort, logLevel, publicUrl, allowedHosts, trustProxy }: Config,
  { url: databaseUrl }: Store,
  apiUrl: string,
  log: Logger,
  stops: Stop[],
): Promise<SwitchProcess> {
  const apiPort = Number(new URL(apiUrl).port);
  const next = apiPort < PORT_MAX ? apiPort + 1 : apiPort - 1;
  const started = await startSwitchProcess(
    {
      databaseUrl,
      host,
      port: switchPort ?? next,
      anyPort: switchPort === undefined,
      logLevel,
      publicUrl: publicUrl ?? apiUrl,
      allowedHosts,
      trustProxy,
    },
    log,
  );
  stops.push(() => started.stop());
  return started;
}

async function answers(client: Client): Promise<boolean> {
  try {
    await client.connection.withDeadline(Date.now() + 1_000, () => client.workflowService.getSystemInfo({}));
    return true;
  } catch {
    return false;
  }
}

/**
 * Whoever can read the data folder owns the service anyway: its CLI gets a token with every role, for a day, renewed
 * while the service runs.
 */
async function keepLocalToken(
  config: Config,
  services: Services,
  place: { url: string; switchUrl?: string },
  stops: Stop[],
): Promise<{ file: string; tokenId: string }> {
  const person = personFrom(userInfo().username);
  const file = join(config.dataFolder, 'token');
  const write = async () => {
    const now = services.clock.now();
    const { id, token } = await insertToken(services.db.sql, now, 'embedded start', { roles: ROLES, person });
    writeFileSync(file, `${JSON.stringify({ ...place, token })}\n`, { mode: 0o600 });
    return id;
  };
  const tokenId = await write();
  let first = true;
  const renewal = startLoop(
    'local token',
    LOCAL_TOKEN_RENEWED_MS,
    async () => {
      if (!first) await write();
      first = false;
    },
    services.log,
  );
  stops.push(renewal.stop);
  return { file, tokenId };
}
