import { join } from 'node:path';
import { z } from 'zod';
import { BOUND_VARIABLES, boundsOf, type ConfiguredBounds } from './config/bounds.ts';
import { missingFor, SERVICE_ROLES, type ServiceRole } from './config/roles.ts';
import { SIZE_RANGES, type Sizes, sizesFor } from './config/sizes.ts';
import { type TemporalConfig, temporalOf, temporalProblems, temporalVariables } from './config/temporal.ts';
import { optional, proxyList, wholeNumber } from './config/values.ts';
import { durationMs, isDurationBetween } from './domain/duration.ts';
import {
  isKeepTime,
  KEPT,
  type Kept,
  keepRange,
  RETENTION,
  type Retention,
  retentionOf,
} from './domain/retention.ts';
import { AppError } from './errors.ts';

const PORT_MAX = 65_535;
/** A day of no time would end everything at once. */
const DAY_LEAST = '100ms';

const keepSchema = (kept: Kept) =>
  optional(z.string().refine((text) => isKeepTime(kept, text), `must be a duration from ${keepRange(kept)}`));

const environmentSchema = z.object({
  DATABASE_URL: optional(z.string().regex(/^postgres(ql)?:\/\//, 'must begin with postgres://')),
  ...temporalVariables,
  PORTCULLIS_HOST: optional(z.string().min(1)),
  PORTCULLIS_PORT: optional(wholeNumber(0, PORT_MAX)),
  PORTCULLIS_SWITCH_PORT: optional(wholeNumber(0, PORT_MAX)),
  PORTCULLIS_PUBLIC_URL: optional(z.url()),
  PORTCULLIS_ISSUER: optional(
    z.string().regex(/^\S{1,200}$/, 'must be at most 200 characters without spaces'),
  ),
  PORTCULLIS_ALLOWED_HOSTS: optional(
    z
      .string()
      .regex(/^[\w.-]+(\s*,\s*[\w.-]+)*$/, 'must be names without ports, separated by commas')
      .transform((list) => list.toLowerCase().split(/\s*,\s*/)),
  ),
  PORTCULLIS_TRUST_PROXY: optional(proxyList),
  PORTCULLIS_KEY: optional(z.string()),
  PORTCULLIS_KEY_FILE: optional(z.string().min(1)),
  PORTCULLIS_DATA: optional(z.string().min(1)),
  PORTCULLIS_DAY: optional(
    z
      .string()
      .refine(
        (text) => isDurationBetween(text, DAY_LEAST, '24h'),
        `must be a duration from ${DAY_LEAST} to 24h`,
      ),
  ),
  ...Object.fromEntries(KEPT.map((kept) => [RETENTION[kept].variable, keepSchema(kept)])),
  PORTCULLIS_DB_POOL: optional(wholeNumber(...SIZE_RANGES.dbPool)),
  PORTCULLIS_DB_GATE_POOL: optional(wholeNumber(...SIZE_RANGES.gatePool)),
  PORTCULLIS_CACHED_AGENTS: optional(wholeNumber(...SIZE_RANGES.cachedAgents)),
  PORTCULLIS_WEBHOOK_SECRET: optional(z.string().min(16, 'must have at least 16 characters')),
  PORTCULLIS_LOG_LEVEL: optional(z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])),
  PORTCULLIS_PAGERDUTY_TOKEN: optional(z.string().min(16, 'must have at least 16 characters')),
  PORTCULLIS_PAGERDUTY_URL: optional(z.url()),
  PORTCULLIS_PAGERDUTY_ROUTING_KEY: optional(
    z.string().regex(/^[a-zA-Z0-9]{32}$/, 'is the 32 letters and digits of an Events API v2 integration'),
  ),
  PORTCULLIS_PAGERDUTY_EVENTS_URL: optional(z.url()),
  ...BOUND_VARIABLES,
  SLACK_BOT_TOKEN: optional(z.string().startsWith('xoxb-')),
  SLACK_APP_TOKEN: optional(z.string().startsWith('xapp-')),
  SLACK_SIGNING_SECRET: optional(z.string().min(16, 'must have at least 16 characters')),
  SLACK_API_URL: optional(z.url()),
});

/** How Slack's requests come: over connections this service opens (Socket Mode), or signed to `POST /slack/events`. */
export type SlackDelivery =
  | { appToken: string; signingSecret?: undefined }
  | { signingSecret: string; appToken?: undefined };

/** What posts in Slack; with a way in which its requests come, what answers there too. */
export type SlackAccess = { botToken: string; apiUrl?: string } & Partial<SlackDelivery>;

/** Whether it says how Slack's requests come. */
export const receivesRequests = (slack: SlackAccess): slack is SlackAccess & SlackDelivery =>
  slack.appToken !== undefined || slack.signingSecret !== undefined;

/** Where a process with the API listens unless it is told. */
export const DEFAULT_PORT = 8080;
/** Where one without it says how it does: commands look for the API at the other. */
export const DEFAULT_HEALTH_PORT = 8090;

/** Everything the environment decides; nothing else reads it. */
export interface Config {
  roles: readonly ServiceRole[];
  databaseUrl?: string;
  temporal: TemporalConfig;
  host: string;
  /** Absent: nobody asked for one. */
  port?: number;
  /** Of the switch's own process; `undefined`: the one next to the API's, or a free one where that is taken. */
  switchPort?: number;
  /** Of the installation: absent, it is what the store says (`settleInstallation`). */
  publicUrl?: string;
  issuer?: string;
  /** Names besides that of `publicUrl` under which it is reached. */
  allowedHosts: readonly string[];
  /** Proxies whose `X-Forwarded-*` is believed. */
  trustProxy: readonly string[];
  dataFolder: string;
  /** What opens the keys in the store; the file is made on the first start. */
  sealing: { given?: string; file: string };
  /** Of the installation, as the two above. */
  dayMs?: number;
  retention: Retention;
  sizes: Sizes;
  webhookSecret?: string;
  /** Reads on-call schedules for approver groups. */
  pagerduty?: { token: string; apiUrl?: string };
  /** Pages on-call about breaches and stops. */
  pager?: { routingKey: string; url?: string };
  /** The secrets of metric sources: every `PORTCULLIS_SOURCE_…` variable. */
  sourceSecrets: Readonly<Record<string, string | undefined>>;
  logLevel: string;
  /** Only in processes that post there or answer there. */
  slack?: SlackAccess;
  /** What one process holds at once, where the environment says so. */
  bounds: ConfiguredBounds;
}

/**
 * Reads the environment of a process with these roles, every one unless some are named: what they need must be there,
 * what none of them uses need not.
 * @throws AppError `config_invalid` naming every wrong variable at once
 */
export function readConfig(env: NodeJS.ProcessEnv, named?: readonly ServiceRole[]): Config {
  const roles = named ?? SERVICE_ROLES;
  return readFor(env, { roles, named: named !== undefined });
}

/** Reads what is set, for whoever only looks at it. @throws AppError `config_invalid` */
export const lookAtConfig = (env: NodeJS.ProcessEnv): Config =>
  readFor(env, { roles: SERVICE_ROLES, named: false, only: true });

function readFor(env: NodeJS.ProcessEnv, asked: Omit<Parameters<typeof missingFor>[0], 'env'>): Config {
  const { roles } = asked;
  const parsed = environmentSchema.safeParse(env);
  const wrong = (parsed.error?.issues ?? []).map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  const problems = [...wrong, ...temporalProblems(env), ...missingFor({ env, ...asked })];
  if (!parsed.success || problems.length > 0) {
    throw new AppError('config_invalid', `Cannot start:\n- ${problems.join('\n- ')}`, { problems });
  }
  const { data } = parsed;
  const dataFolder = data.PORTCULLIS_DATA ?? '.portcullis';
  return {
    roles,
    databaseUrl: data.DATABASE_URL,
    temporal: temporalOf(data),
    host: data.PORTCULLIS_HOST ?? '127.0.0.1',
    port: data.PORTCULLIS_PORT,
    switchPort: data.PORTCULLIS_SWITCH_PORT,
    publicUrl: data.PORTCULLIS_PUBLIC_URL,
    issuer: data.PORTCULLIS_ISSUER,
    allowedHosts: data.PORTCULLIS_ALLOWED_HOSTS ?? [],
    trustProxy: data.PORTCULLIS_TRUST_PROXY ?? [],
    dataFolder,
    sealing: { given: data.PORTCULLIS_KEY, file: data.PORTCULLIS_KEY_FILE ?? join(dataFolder, 'key') },
    retention: retentionOf(data as Record<string, string | undefined>),
    dayMs: data.PORTCULLIS_DAY ? durationMs(data.PORTCULLIS_DAY) : undefined,
    sizes: sizesFor({
      dbPool: data.PORTCULLIS_DB_POOL,
      gatePool: data.PORTCULLIS_DB_GATE_POOL,
      cachedAgents: data.PORTCULLIS_CACHED_AGENTS,
    }),
    webhookSecret: data.PORTCULLIS_WEBHOOK_SECRET,
    pagerduty: data.PORTCULLIS_PAGERDUTY_TOKEN
      ? { token: data.PORTCULLIS_PAGERDUTY_TOKEN, apiUrl: data.PORTCULLIS_PAGERDUTY_URL }
      : undefined,
    pager: data.PORTCULLIS_PAGERDUTY_ROUTING_KEY
      ? { routingKey: data.PORTCULLIS_PAGERDUTY_ROUTING_KEY, url: data.PORTCULLIS_PAGERDUTY_EVENTS_URL }
      : undefined,
    sourceSecrets: Object.fromEntries(
      Object.entries(env).filter(([name]) => name.startsWith('PORTCULLIS_SOURCE_')),
    ),
    logLevel: data.PORTCULLIS_LOG_LEVEL ?? 'info',
    bounds: boundsOf(data),
    slack: roles.includes('slack') || roles.includes('worker') ? slackOf(data) : undefined,
  };
}

function slackOf(data: z.infer<typeof environmentSchema>): Config['slack'] {
  const { SLACK_BOT_TOKEN: botToken, SLACK_APP_TOKEN: appToken, SLACK_SIGNING_SECRET: signingSecret } = data;
  if (!botToken) return undefined;
  const common = { botToken, apiUrl: data.SLACK_API_URL };
  if (appToken) return { ...common, appToken };
  return signingSecret ? { ...common, signingSecret } : common;
}
