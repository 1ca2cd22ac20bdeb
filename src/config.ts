import { isIP } from 'node:net';
import { join } from 'node:path';
import { z } from 'zod';
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

export const SERVICE_ROLES = ['api', 'worker', 'slack'] as const;
export type ServiceRole = (typeof SERVICE_ROLES)[number];

/** Names the empty string as absent: compose files pass variables that are not set as ''. */
const optional = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (value === '' ? undefined : value), schema.optional());

const listOf = (text: string): string[] => text.split(',').map((part) => part.trim());

/** Names of places are left out: who may say who calls is said exactly. */
const isProxyList = (parts: readonly string[]): boolean =>
  parts.every((part) => {
    const [address = '', bits, ...more] = part.split('/');
    const size = { 0: -1, 4: 32, 6: 128 }[isIP(address) as 0 | 4 | 6];
    const fits = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) > 0 && Number(bits) <= size);
    return size > 0 && fits && more.length === 0;
  });

/** A day of no time would end everything at once. */
const DAY_LEAST = '100ms';

const keepSchema = (kept: Kept) =>
  optional(z.string().refine((text) => isKeepTime(kept, text), `must be a duration from ${keepRange(kept)}`));

const environmentSchema = z.object({
  DATABASE_URL: optional(z.string().regex(/^postgres(ql)?:\/\//, 'must begin with postgres://')),
  TEMPORAL_ADDRESS: optional(z.string().regex(/^[^\s/]+:\d+$/, 'must be host:port')),
  TEMPORAL_NAMESPACE: optional(z.string().min(1)),
  PORTCULLIS_HOST: optional(z.string().min(1)),
  PORTCULLIS_PORT: optional(z.coerce.number().int().min(0).max(65_535)),
  PORTCULLIS_SWITCH_PORT: optional(z.coerce.number().int().min(0).max(65_535)),
  PORTCULLIS_PUBLIC_URL: optional(z.url()),
  PORTCULLIS_ALLOWED_HOSTS: optional(
    z
      .string()
      .regex(/^[\w.-]+(\s*,\s*[\w.-]+)*$/, 'must be names without ports, separated by commas')
      .transform((list) => list.toLowerCase().split(/\s*,\s*/)),
  ),
  PORTCULLIS_TRUST_PROXY: optional(
    z
      .string()
      .transform(listOf)
      .refine(
        isProxyList,
        'must be addresses or networks such as 10.0.0.7 or 10.0.0.0/8, separated by commas',
      ),
  ),
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
  PORTCULLIS_WEBHOOK_SECRET: optional(z.string().min(16, 'must have at least 16 characters')),
  PORTCULLIS_LOG_LEVEL: optional(z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])),
  PORTCULLIS_PAGERDUTY_TOKEN: optional(z.string().min(16, 'must have at least 16 characters')),
  PORTCULLIS_PAGERDUTY_URL: optional(z.url()),
  SLACK_BOT_TOKEN: optional(z.string().startsWith('xoxb-')),
  SLACK_APP_TOKEN: optional(z.string().startsWith('xapp-')),
  SLACK_SIGNING_SECRET: optional(z.string().min(16, 'must have at least 16 characters')),
  SLACK_API_URL: optional(z.url()),
});

/** How Slack's requests come: over connections this service opens (Socket Mode), or signed to `POST /slack/events`. */
export type SlackDelivery =
  | { appToken: string; signingSecret?: undefined }
  | { signingSecret: string; appToken?: undefined };

/** Everything the environment decides; nothing else reads it. */
export interface Config {
  databaseUrl?: string;
  temporal: { address?: string; namespace: string };
  host: string;
  /** Absent: nobody asked for one. */
  port?: number;
  /** Of the switch's own process; `undefined`: the one next to the API's, or a free one where that is taken. */
  switchPort?: number;
  publicUrl?: string;
  /** Names besides that of `publicUrl` under which it is reached. */
  allowedHosts: readonly string[];
  /** Proxies whose `X-Forwarded-*` is believed. */
  trustProxy: readonly string[];
  dataFolder: string;
  /** What opens the keys in the store; the file is made on the first start. */
  sealing: { given?: string; file: string };
  dayMs: number;
  retention: Retention;
  webhookSecret?: string;
  /** Reads on-call schedules for approver groups. */
  pagerduty?: { token: string; apiUrl?: string };
  logLevel: string;
  slack?: { botToken: string; apiUrl?: string } & SlackDelivery;
}

export const DEFAULT_PORT = 8080;

/** @throws AppError `config_invalid` naming every wrong variable at once */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const parsed = environmentSchema.safeParse(env);
  const wrong = (parsed.error?.issues ?? []).map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  const problems = [...wrong, ...slackProblems(env)];
  if (!parsed.success || problems.length > 0) {
    throw new AppError('config_invalid', `Cannot start:\n- ${problems.join('\n- ')}`, { problems });
  }
  const { data } = parsed;
  const dataFolder = data.PORTCULLIS_DATA ?? '.portcullis';
  return {
    databaseUrl: data.DATABASE_URL,
    temporal: { address: data.TEMPORAL_ADDRESS, namespace: data.TEMPORAL_NAMESPACE ?? 'default' },
    host: data.PORTCULLIS_HOST ?? '127.0.0.1',
    port: data.PORTCULLIS_PORT,
    switchPort: data.PORTCULLIS_SWITCH_PORT,
    publicUrl: data.PORTCULLIS_PUBLIC_URL,
    allowedHosts: data.PORTCULLIS_ALLOWED_HOSTS ?? [],
    trustProxy: data.PORTCULLIS_TRUST_PROXY ?? [],
    dataFolder,
    sealing: { given: data.PORTCULLIS_KEY, file: data.PORTCULLIS_KEY_FILE ?? join(dataFolder, 'key') },
    dayMs: data.PORTCULLIS_DAY ? durationMs(data.PORTCULLIS_DAY) : durationMs('1d'),
    retention: retentionOf(data as Record<string, string | undefined>),
    webhookSecret: data.PORTCULLIS_WEBHOOK_SECRET,
    pagerduty: data.PORTCULLIS_PAGERDUTY_TOKEN
      ? { token: data.PORTCULLIS_PAGERDUTY_TOKEN, apiUrl: data.PORTCULLIS_PAGERDUTY_URL }
      : undefined,
    logLevel: data.PORTCULLIS_LOG_LEVEL ?? 'info',
    slack: slackOf(data),
  };
}

/** Slack needs a bot token and exactly one way in which its requests come. */
function slackProblems(env: NodeJS.ProcessEnv): string[] {
  const { SLACK_BOT_TOKEN: bot, SLACK_APP_TOKEN: app, SLACK_SIGNING_SECRET: secret } = env;
  const ways =
    'SLACK_APP_TOKEN (xapp-…) for Socket Mode, or SLACK_SIGNING_SECRET for requests to POST /slack/events';
  const given = app ? 'SLACK_APP_TOKEN' : 'SLACK_SIGNING_SECRET';
  return [
    ...(!bot && (app || secret) ? [`SLACK_BOT_TOKEN: is missing beside ${given}; it begins with xoxb-`] : []),
    ...(bot && !app && !secret ? [`SLACK_BOT_TOKEN: is not enough; set one of ${ways}`] : []),
    ...(app && secret ? [`SLACK_SIGNING_SECRET: is set beside SLACK_APP_TOKEN; keep one of ${ways}`] : []),
  ];
}

function slackOf(data: z.infer<typeof environmentSchema>): Config['slack'] {
  const { SLACK_BOT_TOKEN: botToken, SLACK_APP_TOKEN: appToken, SLACK_SIGNING_SECRET: signingSecret } = data;
  if (!botToken) return undefined;
  const common = { botToken, apiUrl: data.SLACK_API_URL };
  if (appToken) return { ...common, appToken };
  return signingSecret ? { ...common, signingSecret } : undefined;
}
