import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { correctAction } from '../../actions/correct.ts';
import { decideAction } from '../../actions/decide.ts';
import { AppError } from '../../errors.ts';
import type { Api, RouteDeps } from '../app.ts';
import { reasonSchema } from '../schemas.ts';
import { requireForm } from './access.ts';

const decisionForm = z.object({
  verdict: z.enum(['approve', 'deny']),
  digest: z.string().min(1).max(100),
  revision: z.coerce.number().int().min(1),
  reason: reasonSchema.optional(),
});

/** What people send from the page of an action. Every verb is the API's own; the page only renders. */
export function actionForms(app: Api, { services, metrics }: RouteDeps): void {
  app.post<{ Params: { id: string } }>(
    '/actions/:id/decisions',
    { schema: { hide: true } },
    async (request, reply) => {
      const receivedAt = services.clock.now();
      const { actor } = await requireForm(services, request);
      const form = read(decisionForm, request);
      const { action, counted } = await decideAction(services, actor, {
        id: request.params.id,
        receivedAt,
        ...form,
      });
      if (counted) metrics.decided.inc({ verdict: form.verdict });
      return reply.redirect(`/actions/${action.id}?done=${counted ? form.verdict : 'again'}`, 303);
    },
  );
  app.post<{ Params: { id: string } }>(
    '/actions/:id/corrections',
    { schema: { hide: true } },
    async (request, reply) => {
      const { actor } = await requireForm(services, request);
      const { reason } = read(z.object({ reason: reasonSchema }), request);
      const action = await correctAction(services, actor, { id: request.params.id, reason });
      return reply.redirect(`/actions/${action.id}?done=correction`, 303);
    },
  );
}

/** @throws AppError `invalid_input` naming the fields, never their content */
function read<T>(schema: z.ZodType<T>, { body }: FastifyRequest): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new AppError('invalid_input', `The form is not complete: ${lines.join('; ')}`);
}
