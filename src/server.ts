import { dirname } from 'node:path';
import type { Client } from '@temporalio/client';
import type { FastifyInstance } from 'fastify';
import pino from 'pino';
import { createActivities } from '../activities/index.ts';
import { createHealthApi } from './api/health-server.ts';
import { listenAt } from './api/listen.ts';
import { createApi } from './api/server.ts';
import { SignInLinks } from './api/sign-in-links.ts';
import { startBackground, startGroups, startLease, startStops, watchBackground } from './background.ts';
import { createSlackClient, createSlackPort, type SlackPort } from './cards/posting/port.ts';
import { isPart } from './config/roles.ts';
import { type Config, DEFAULT_HEALTH_PORT, DEFAULT_PORT, receivesRequests } from './config.ts';
import { KEYS_RELOADED_EVERY_MS } from './credentials/keys.ts';
import { isConnectionLate } from './db/failure.ts';
import { shownUrl } from './db/shown-url.ts';
import { openDataFolder } from './embedded/data-folder.ts';
import { calendarTimes } from './groups/ical.ts';
import type { Calendars } from './groups/refresh-freezes.ts';
import { createSources } from './groups/sources.ts';
import { followInstallation, SETTINGS_RELOADED_EVERY_MS } from './installation/change.ts';
import { startLoop } from './loop.ts';
import { sourceCredentials } from './metric-sources/credentials.ts';
import { tellOpenRollouts } from './records/reconciliation.ts';
import { noteBuild } from './records/worker-builds.ts';
import { keepLocalToken } from './server/local-token.ts';
import {
  type Making,
  openServices,
  openStore,
  openSwitch,
  openTemporal,
  type Say,
  type Stop,
  temporalAnswers,
} from './server/parts.ts';
import type { Services } from './services.ts';
import { createSlackApp } from './slack/app.ts';
import { slackRoute } from './slack/http-route.ts';
import { listDisabled } from './switches/list.ts';
import { workflowBundle } from './temporal/bundle.ts';
import { openClient } from './temporal/client.ts';
import { type TemporalAccess, temporalAccess } from './temporal/connection.ts';
import { keepWeeklySchedule } from './temporal/weekly-schedule.ts';
import { installTemporalLog, type RunningWorker, startWorker } from './temporal/worker.ts';

/** A running service, or the roles of one that this process has. */
export interface Portcullis {
  /** Where this process listens: the API, or without that role how it does. */
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
  /** In a process that needs one, or was told of one. */
  temporalAddress?: string;
  slack: boolean;
  /** Milliseconds of one day of the installation. */
  dayMs: number;
  stop(): Promise<void>;
}

export interface StartOptions {
  /** Told what takes long, such as fetching a Temporal server the first time. */
  say?: Say;
}

/** A store under many processes that start at once may be late; one that refuses a connection says so at the first attempt. */
const ATTEMPTS = 2;

/** Puts every part together; the only place that does. */
export async function startPortcullis(config: Config, options: StartOptions = {}): Promise<Portcullis> {
  const log = pino({ level: config.logLevel });
  const stops: Stop[] = [];
  const stop = async () => {
    for (const one of stops.splice(0).reverse())
      await one().catch((error: unknown) => log.warn({ err: error }, 'while stopping'));
  };
  const { say = () => {} } = options;
  for (let attempt = 1; ; attempt++) {
    try {
      return await start({ config, log, stops, say }, stop);
    } catch (error) {
      await stop();
      if (attempt === ATTEMPTS || !isConnectionLate(error)) throw error;
      say('The store was too slow to take a connection: starting once more');
    }
  }
}

async function start(making: Making, stop: Stop): Promise<Portcullis> {
  const { config, stops, say } = making;
  const has = (role: Config['roles'][number]) => config.roles.includes(role);
  const { given, file } = config.sealing;
  const keyIsHere = given === undefined && dirname(file) === config.dataFolder;
  const isEmbedded = !config.databaseUrl || (!config.temporal.address && !isPart(config.roles));
  if (isEmbedded || keyIsHere) openDataFolder(config.dataFolder, say);
  const store = await openStore(making);
  const services = await openServices(making, store);
  follow(services, stops);
  const temporal = await connectTemporal(making);
  const slack = await openSlack(config, services);
  const signIn = new SignInLinks(services.clock);
  let worker: RunningWorker | undefined;
  const mount = (app: FastifyInstance) => slack.http && slackRoute(app, slack.http);
  const watched = {
    temporal: temporal && (() => temporalAnswers(temporal.client)),
    worker: () => worker?.state(),
    allowedHosts: config.allowedHosts,
    trustProxy: config.trustProxy,
    mount,
  };
  const listener = has('api')
    ? await createApi(services, { ...watched, signIn, bounds: config.bounds })
    : await createHealthApi(services, watched);
  const url = await listenAt(listener, config, say, has('api') ? DEFAULT_PORT : DEFAULT_HEALTH_PORT);
  stops.push(() => listener.close());
  // Nobody said where people reach it: they are on this machine.
  services.publicUrl ||= url;
  services.issuer ||= services.publicUrl;
  stops.push(startStops(services).stop);
  if (has('api') || has('slack'))
    services.switchProcess = await openSwitch(making, store, url, services.publicUrl);
  if (has('worker') && temporal) worker = await work(making, services, temporal, slack.port);
  if (slack.app) {
    await slack.app.start();
    stops.push(slack.app.stop);
  }
  if (services.after) stops.push(startLease(services, services.after).stop);
  if (has('background') && temporal) {
    const background = startBackground(services, temporal.client, sourceCredentials(config.sourceSecrets));
    services.wake = background.wake;
    stops.push(background.stop);
  }
  if (!has('background')) stops.push(watchBackground(services).stop);
  const switchUrl = services.switchProcess?.url;
  const local = config.databaseUrl ? undefined : await keepLocalToken(making, services, { url, switchUrl });
  const { embedded } = store;
  return {
    url,
    publicUrl: services.publicUrl,
    services,
    localTokenFile: local?.file,
    signInUrl: local && services.publicUrl + signIn.issue(local.tokenId),
    switchedOff: (await listDisabled(services.db.sql)).map(({ scope }) => scope),
    switchUrl,
    database: {
      address: shownUrl(store.url),
      ...(embedded ? { folder: embedded.folder, version: embedded.version } : {}),
    },
    temporalAddress: temporal?.access.address,
    slack: slack.port !== undefined,
    dayMs: services.dayMs,
    stop: async () => void (await stop()),
  };
}

/** What another process may change: the keys and what the installation goes by. */
function follow(services: Services, stops: Stop[]): void {
  const { log } = services;
  const keys = startLoop('keys', KEYS_RELOADED_EVERY_MS, () => services.keys.reload(), log);
  const settings = () => followInstallation(services);
  const installation = startLoop('installation', SETTINGS_RELOADED_EVERY_MS, settings, log);
  stops.push(keys.stop, installation.stop);
}

interface Temporal {
  access: TemporalAccess;
  client: Client;
}

/** Undefined in a process that drives nothing and was told of no server. */
async function connectTemporal(making: Making): Promise<Temporal | undefined> {
  const { config, stops } = making;
  if (isPart(config.roles) && !config.temporal.address) return undefined;
  const access = temporalAccess(await openTemporal(making), config.temporal);
  const client = openClient(access, config.temporal.namespace);
  stops.push(() => client.connection.close());
  return { access, client };
}

/** What posts in Slack, where this process does, and what answers there, where it does. */
async function openSlack({ slack, roles }: Config, services: Services) {
  if (!slack) return {};
  if (roles.includes('slack') && receivesRequests(slack)) {
    const app = await createSlackApp(services, slack);
    return { app, port: app.port, http: app.httpRequest };
  }
  return { port: createSlackPort(createSlackClient(slack), services.clock) };
}

async function work(
  { config, log, stops }: Making,
  services: Services,
  { access, client }: Temporal,
  slack: SlackPort | undefined,
): Promise<RunningWorker> {
  installTemporalLog(log);
  const bundle = await workflowBundle();
  const { address, namespace, slots } = config.temporal;
  const worker = startWorker({
    access,
    namespace,
    bundle,
    activities: createActivities({
      services,
      slack,
      webhookSecret: config.webhookSecret,
      pager: config.pager,
      slots,
    }),
    slots,
    client,
    log,
    noteBuild: () => noteBuild(services.db.sql, bundle.buildId),
    // The rules of this build hold at once for what is open, and what began in the shared queue moves on.
    serves: () => tellOpenRollouts(services.db.sql),
    // Nobody else works at a server of our own.
    ...(address ? {} : { awayMs: 0 }),
  });
  // Whatever becomes of it, the worker works: the next process that starts tries again.
  void keepWeeklySchedule(client, log);
  const { pagerduty, dataFolder } = config;
  const calendars: Calendars = (place, window) => calendarTimes(place, dataFolder, window);
  const usersOfGroup = slack && ((groupId: string) => slack.usersOfGroup(groupId));
  stops.push(
    worker.stop,
    startGroups(services, createSources({ usersOfGroup, pagerduty, dataFolder }), calendars).stop,
  );
  return worker;
}
