import { App, type Receiver, SocketModeReceiver, type webApi } from '@slack/bolt';
import {
  clientOptions,
  createSlackClient,
  createSlackPort,
  type SlackPort,
  slackFailure,
} from '../cards/posting/port.ts';
import { createUserLookup } from '../cards/posting/users.ts';
import type { SlackDelivery } from '../config.ts';
import { AppError } from '../errors.ts';
import type { Services } from '../services.ts';
import { boltLog } from './bolt-log.ts';
import { HttpReceiver, type SlackHttpAnswer } from './http-receiver.ts';
import type { SlackHttpRequest } from './http-request.ts';
import { register as registerActions } from './listeners/actions.ts';
import { register as registerAlerts } from './listeners/alerts.ts';
import { register as registerCommands } from './listeners/commands.ts';
import type { ListenerDeps } from './listeners/deps.ts';
import { answerPerson } from './listeners/errors.ts';
import { register as registerGates } from './listeners/gates.ts';
import { register as registerHome } from './listeners/home.ts';
import { register as registerIncidents } from './listeners/incidents.ts';
import { register as registerModals } from './listeners/modals.ts';
import { register as registerReviews } from './listeners/reviews.ts';

/** With an app token Slack's requests come by Socket Mode, with a signing secret by HTTP. */
export type SlackAppOptions = SlackDelivery & {
  botToken: string;
  /** Another server for the Web API and Socket Mode, with its path: `http://localhost:3000/api/`. */
  apiUrl?: string;
};

/** Slack as a surface. `port` and `client` work before `start`. */
export interface SlackApp {
  /** Connected when it resolves; a Slack that does not answer is tried on in the background. @throws AppError `config_invalid` */
  start(): Promise<void>;
  stop(): Promise<void>;
  client: webApi.WebClient;
  port: SlackPort;
  /** HTTP mode only: answers one request to `POST /slack/events`; before `start` that Portcullis is not ready. */
  httpRequest?: (request: SlackHttpRequest) => Promise<SlackHttpAnswer>;
}

type Identity = { botId: string; botUserId: string; teamId: string };

const WAIT_FOR_SLACK_MS = 5_000;
const RETRY_MIN_MS = 200;
const RETRY_MAX_MS = 10_000;
const REFUSED = new Set([
  'invalid_auth',
  'account_inactive',
  'token_revoked',
  'token_expired',
  'not_authed',
  'missing_scope',
]);

/** Bolt over the verbs; nothing is sent before `start`. */
export async function createSlackApp(services: Services, options: SlackAppOptions): Promise<SlackApp> {
  const client = createSlackClient(options, boltLog(services.log));
  const users = createUserLookup(client, services.clock);
  const port = createSlackPort(client, services.clock, users);
  const http = options.signingSecret ? new HttpReceiver(options.signingSecret, services) : undefined;
  const stopping = new AbortController();
  let app: App | undefined;
  const connect = async () => {
    const identity = await whoAmI(client, services, stopping.signal);
    if (!identity) return;
    const receiver = http ?? socketReceiver(services, options);
    app = createBolt(services, options, identity, receiver);
    const directory = { teamId: identity.teamId, user: users, remembered: new Map<string, number>() };
    register(app, { services, slack: port, client, directory });
    await app.start();
  };
  let connecting: Promise<void> = Promise.resolve();
  return {
    client,
    port,
    ...(http ? { httpRequest: (request) => http.handle(request) } : {}),
    async start() {
      connecting = connect();
      const late = new Promise<'late'>((resolve) =>
        setTimeout(() => resolve('late'), WAIT_FOR_SLACK_MS).unref(),
      );
      if ((await Promise.race([connecting, late])) !== 'late') return;
      services.log.warn(
        'Slack does not answer yet: approvals go on by web page and CLI, and it is tried again',
      );
      connecting.catch((error: unknown) => services.log.error({ err: error }, 'Slack is not used'));
    },
    async stop() {
      stopping.abort();
      await app?.stop();
      await connecting.catch(() => undefined);
    },
  };
}

/** Asks Slack who the bot is until it answers: an App whose own first question fails is broken for good. */
async function whoAmI(
  client: webApi.WebClient,
  { log }: Services,
  signal: AbortSignal,
): Promise<Identity | undefined> {
  for (let waitMs = RETRY_MIN_MS; !signal.aborted; waitMs = Math.min(RETRY_MAX_MS, waitMs * 2)) {
    try {
      const { bot_id, user_id, team_id } = await client.auth.test();
      return { botId: bot_id ?? '', botUserId: user_id ?? '', teamId: team_id ?? '' };
    } catch (error) {
      const failure = slackFailure(error);
      if (REFUSED.has(failure.code)) {
        throw new AppError('config_invalid', `Slack refuses SLACK_BOT_TOKEN: ${failure.code}`, {
          slack: failure.code,
        });
      }
      log.debug({ slack: failure.code }, 'Slack does not answer, asking again');
      await sleep(failure.retryAfterMs ?? waitMs, signal);
    }
  }
  return undefined;
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function socketReceiver({ log }: Services, { appToken = '', apiUrl }: SlackAppOptions): Receiver {
  const retryConfig = { forever: true, retries: 5, factor: 1.3, minTimeout: 200, maxTimeout: 5_000 };
  return new SocketModeReceiver({
    appToken,
    logger: boltLog(log),
    installerOptions: {
      clientOptions: { ...(apiUrl ? { slackApiUrl: apiUrl } : {}), timeout: 2_000, retryConfig },
    },
  });
}

const createBolt = (
  { log }: Services,
  { botToken, apiUrl }: SlackAppOptions,
  { botId, botUserId }: Identity,
  receiver: Receiver,
): App =>
  new App({
    token: botToken,
    botId,
    botUserId,
    receiver,
    logger: boltLog(log),
    extendedErrorHandler: true,
    clientOptions: clientOptions(apiUrl),
  });

function register(app: App, deps: ListenerDeps): void {
  registerActions(app, deps);
  registerAlerts(app, deps);
  registerReviews(app, deps);
  registerCommands(app, deps);
  registerGates(app, deps);
  registerHome(app, deps);
  registerIncidents(app, deps);
  registerModals(app, deps);
  app.error(async (failed: { error: Error; body: unknown }) => answerPerson(deps, failed.error, failed.body));
}
