import { z } from 'zod';
import { requireRole } from '../../actor.ts';
import { changeInstallation, DAY_LEAST, DAY_MOST } from '../../installation/change.ts';
import { readSettings, type Settings } from '../../installation/settings.ts';
import type { Api, RouteDeps } from '../app.ts';
import { actorOf } from '../auth.ts';
import { instantSchema, reasonSchema } from '../schemas.ts';

const tags = ['service'];

const settingsSchema = z.object({
  dayMs: z.int().describe('Milliseconds of one day of the plan: 86400000 unless days are scaled'),
  publicUrl: z.string().optional().describe('Where people reach the service; absent: nobody has said it yet'),
  issuer: z.string().optional().describe('The `iss` of credentials, receipts and checkpoints'),
});

/** What all processes of the installation have in common. */
export function installationRoutes(app: Api, { services }: RouteDeps): void {
  app.get(
    '/v1/installation',
    {
      schema: {
        operationId: 'getInstallation',
        tags,
        summary: 'What all processes of the installation go by',
        response: { 200: settingsSchema },
      },
    },
    async (request): Promise<Settings> => {
      requireRole(actorOf(request), ['admin', 'auditor']);
      return readSettings(services.db.sql);
    },
  );
  app.put(
    '/v1/installation',
    {
      schema: {
        operationId: 'changeInstallation',
        tags,
        summary: 'Change what all processes of the installation go by',
        description:
          'They follow within seconds; a process that is started with another value is refused. The length of a day stays while a rollout is open. Credentials that name the old issuer live for a while, receipts and checkpoints go on naming the one of their time, and links that were sent lead to the old address.',
        body: z.strictObject({
          day: z.string().optional().describe(`A duration from ${DAY_LEAST} to ${DAY_MOST}`),
          publicUrl: z.url().optional(),
          issuer: z
            .string()
            .regex(/^\S{1,200}$/)
            .optional(),
          reason: reasonSchema,
        }),
        response: {
          200: z.object({
            before: settingsSchema,
            after: settingsSchema,
            oldIssuerUntil: instantSchema
              .optional()
              .describe('Another issuer: until when credentials that name the old one may live'),
          }),
        },
      },
    },
    async (request) => {
      const { oldIssuerUntil, ...changed } = await changeInstallation(
        services,
        actorOf(request),
        request.body,
      );
      return { ...changed, ...(oldIssuerUntil ? { oldIssuerUntil: oldIssuerUntil.toISOString() } : {}) };
    },
  );
}
