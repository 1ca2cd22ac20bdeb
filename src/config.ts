import { z } from 'zod';
import { DURATION_PATTERN, durationMs } from './domain/duration.ts';
import { AppError } from './errors.ts';

export const SERVICE_ROLES = ['api', 'worker', 'slack'] as const;
export type ServiceRole = (typeof SERVICE_ROLES)[number];

/** Names the empty string as absent: compose files pass variables that are not set as ''. */
const optional = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (value === '' ? undefined : value), schema.optional());

const environmentSchema = z.object({
  DATABASE_URL: optional(z.string().regex(/^postgres(ql)?:\/\//, 'must begin with postgres://')),
  TEMPORAL_ADDRESS: optional(z.string().regex(/^[^\s/]+:\d+$/, 'must be host:port')),
  TEMPORAL_NAMESPACE: optional(z.string().min(1)),
  PORTCULLIS_HOST: optional(z.string().min(1)),
  PORTCULLIS_PORT: optional(z.coerce.number().int().min(0).max(65_535)),
  PORTCULLIS_PUBLIC_URL: optional(z.url()),
  PORTCULLIS_DATA: optional(z.string().min(1)),
  PORTCULLIS_DAY: optional(z.string().regex(DURATION_PATTERN, 'must be a duration such as 24h or 1.3s')),
  PORTCULLIS_WEBHOOK_SECRET: optional(z.string().min(16, 'must have at least 16 characters')),
  PORTCULLIS_LOG_LEVEL: optional(z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])),
  SLACK_BOT_TOKEN: optional(z.string().startsWith('xoxb-')),
  SLACK_APP_TOKEN: optional(z.string().startsWith('xapp-')),
  SLACK_API_URL: optional(z.url()),
});

/** Everything the environment decides; nothing else reads it. */
export interface Config {
  databaseUrl?: string;
  temporal: { address?: string; namespace: string };
  host: string;
  port: number;
  publicUrl?: string;
  dataFolder: string;
  dayMs: number;
  webhookSecret?: string;
  logLevel: string;
  slack?: { botToken: string; appToken: string; apiUrl?: string };
}

export const DEFAULT_PORT = 8080;

/** @throws AppError `config_invalid` naming every wrong variable at once */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const parsed = environmentSchema.safeParse(env);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new AppError('config_invalid', `Cannot start:\n- ${problems.join('\n- ')}`, { problems });
  }
  const { data } = parsed;
  if (Boolean(data.SLACK_BOT_TOKEN) !== Boolean(data.SLACK_APP_TOKEN)) {
    const missing = data.SLACK_BOT_TOKEN ? 'SLACK_APP_TOKEN' : 'SLACK_BOT_TOKEN';
    throw new AppError('config_invalid', `Cannot start: ${missing} is missing; Slack needs both tokens`);
  }
  return {
    databaseUrl: data.DATABASE_URL,
    temporal: { address: data.TEMPORAL_ADDRESS, namespace: data.TEMPORAL_NAMESPACE ?? 'default' },
    host: data.PORTCULLIS_HOST ?? '127.0.0.1',
    port: data.PORTCULLIS_PORT ?? DEFAULT_PORT,
    publicUrl: data.PORTCULLIS_PUBLIC_URL,
    dataFolder: data.PORTCULLIS_DATA ?? '.portcullis',
    dayMs: data.PORTCULLIS_DAY ? durationMs(data.PORTCULLIS_DAY) : durationMs('1d'),
    webhookSecret: data.PORTCULLIS_WEBHOOK_SECRET,
    logLevel: data.PORTCULLIS_LOG_LEVEL ?? 'info',
    ...(data.SLACK_BOT_TOKEN && data.SLACK_APP_TOKEN
      ? {
          slack: {
            botToken: data.SLACK_BOT_TOKEN,
            appToken: data.SLACK_APP_TOKEN,
            apiUrl: data.SLACK_API_URL,
          },
        }
      : {}),
  };
}
