import { z } from 'zod';
import { correctAction } from '../../actions/correct.ts';
import { decideAction } from '../../actions/decide.ts';
import { editAction } from '../../actions/edit.ts';
import { reviewBreakGlass } from '../../approvals/review.ts';
import { revokeStandingApproval } from '../../approvals/standing-approvals.ts';
import { parseExactJson } from '../../domain/exact-json.ts';
import { AppError } from '../../errors.ts';
import type { Api, RouteDeps } from '../app.ts';
import { standingInput, standingSchema } from '../routes/standing.ts';
import { reasonSchema } from '../schemas.ts';
import { requireForm } from './access.ts';
import { readForm } from './form.ts';

/** A field that was left empty is not there. */
const optional = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (value === '' ? undefined : value), schema.optional());

const seen = { digest: z.string().min(1).max(100), revision: z.coerce.number().int().min(1) };
const decisionForm = z.object({
  ...seen,
  verdict: z.enum(['approve', 'deny']),
  reason: optional(reasonSchema),
  breakGlass: z.literal('true').optional(),
  envelope: optional(standingSchema.shape.envelope),
  maxUses: z.coerce.number().optional(),
  for: optional(standingSchema.shape.for),
});
const editForm = z.object({
  ...seen,
  args: z.string().min(2).max(1_000_000),
  reason: optional(reasonSchema),
});
const reasonForm = z.object({ reason: reasonSchema });
const reviewForm = z.object({ note: reasonSchema, justified: z.enum(['true', 'false']) });

interface WithId {
  Params: { id: string };
}

/** What people send from the page of an action. Every verb is the API's own; the page only renders. */
export function actionForms(app: Api, { services, metrics }: RouteDeps): void {
  const hidden = { schema: { hide: true } };
  app.post<WithId>('/actions/:id/decisions', hidden, async (request, reply) => {
    const receivedAt = services.clock.now();
    const { actor } = await requireForm(services, request);
    const { envelope, maxUses, for: time, breakGlass, ...form } = readForm(decisionForm, request);
    const standing =
      envelope === undefined
        ? undefined
        : standingInput(standingSchema.parse({ envelope, maxUses, for: time }));
    const { action, counted } = await decideAction(services, actor, {
      id: request.params.id,
      receivedAt,
      ...form,
      breakGlass: breakGlass === 'true',
      ...(standing && { standing }),
    });
    if (counted) metrics.decided.inc({ verdict: form.verdict });
    return reply.redirect(`/actions/${action.id}?done=${counted ? form.verdict : 'again'}`, 303);
  });
  app.post<WithId>('/actions/:id/edits', hidden, async (request, reply) => {
    const receivedAt = services.clock.now();
    const { actor } = await requireForm(services, request);
    const { args, ...form } = readForm(editForm, request);
    const input = { id: request.params.id, args: argsFrom(args), receivedAt, ...form };
    const action = await editAction(services, actor, input);
    return reply.redirect(`/actions/${action.id}?done=edit`, 303);
  });
  app.post<WithId>('/actions/:id/corrections', hidden, async (request, reply) => {
    const { actor } = await requireForm(services, request);
    const { reason } = readForm(reasonForm, request);
    const action = await correctAction(services, actor, { id: request.params.id, reason });
    return reply.redirect(`/actions/${action.id}?done=correction`, 303);
  });
  app.post<WithId>('/actions/:id/review', hidden, async (request, reply) => {
    const { actor } = await requireForm(services, request);
    const { note, justified } = readForm(reviewForm, request);
    const input = { id: request.params.id, note, justified: justified === 'true' };
    const action = await reviewBreakGlass(services, actor, input);
    return reply.redirect(`/actions/${action.id}?done=review`, 303);
  });
  app.post<WithId>('/standing-approvals/:id/revoke', hidden, async (request, reply) => {
    const { actor } = await requireForm(services, request);
    const { reason } = readForm(reasonForm, request);
    const row = await revokeStandingApproval(services, actor, { id: request.params.id, reason });
    return reply.redirect(`/actions/${row.action_id}?done=revoke`, 303);
  });
}

/** @throws AppError `args_not_exact`, `invalid_input` */
function argsFrom(text: string): Record<string, unknown> {
  const parsed = parseExactJson(text);
  if (!parsed.ok)
    throw new AppError('args_not_exact', parsed.message, { path: parsed.path, hint: parsed.hint });
  const { value } = parsed;
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new AppError('invalid_input', 'Cannot edit: the arguments are not a JSON object');
}
