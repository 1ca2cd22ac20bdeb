import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { correctAction } from '../../actions/correct.ts';
import { answerAction } from '../../approvals/answer.ts';
import type { AnswerInput } from '../../approvals/answer-input.ts';
import { editAction } from '../../approvals/edit.ts';
import { reviewBreakGlass } from '../../approvals/review.ts';
import { revokeStandingApproval } from '../../approvals/standing/end.ts';
import { parseExactJson } from '../../domain/exact-json.ts';
import { AppError, type ErrorCode } from '../../errors.ts';
import { ownAction } from '../../records/action.ts';
import type { Api, RouteDeps } from '../app.ts';
import { standingInput, standingSchema } from '../routes/standing-approvals.ts';
import { countSchema, reasonSchema } from '../schemas.ts';
import { requireForm } from './access.ts';
import { sendAction } from './action-page.ts';
import { hasField, optional, readForm, textField } from './form.ts';
import type { Draft } from './form-facts.ts';
import type { Session } from './session.ts';

const seen = { digest: z.string().min(1).max(100), revision: z.coerce.number().pipe(countSchema.min(1)) };
const decisionForm = z.object({
  ...seen,
  verdict: z.enum(['approve', 'deny']),
  reason: optional(reasonSchema),
  breakGlass: z.literal('true').optional(),
});
const standingForm = standingSchema
  .extend({ maxUses: z.coerce.number().pipe(standingSchema.shape.maxUses) })
  .strip();
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
interface WithStandingApproval {
  Params: { id: string; standing: string };
}
type Posted = FastifyRequest<WithId>;

const hidden = { schema: { hide: true } };

/** What people send from the page of an action. Every verb is the API's own; the page only renders. */
export function actionForms(app: Api, deps: RouteDeps): void {
  answerForms(app, deps);
  const { services } = deps;
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
  app.post<WithStandingApproval>(
    '/actions/:id/standing-approvals/:standing/revoke',
    hidden,
    async (request, reply) => {
      const { actor } = await requireForm(services, request);
      const { reason } = readForm(reasonForm, request);
      const { id } = await ownAction(services.db.sql, actor, request.params.id);
      await revokeStandingApproval(services, actor, { id: request.params.standing, reason });
      return reply.redirect(`/actions/${id}?done=revoke`, 303);
    },
  );
}

/** Answers to what waits; those that take typing come back with what was typed when it must be mended. */
function answerForms(app: Api, { services, metrics }: RouteDeps): void {
  app.post<WithId>('/actions/:id/decisions', hidden, async (request, reply) => {
    const receivedAt = services.clock.now();
    const session = await requireForm(services, request);
    const decide = async () => {
      const { breakGlass, ...form } = readForm(decisionForm, request);
      const standing = hasField(request, 'envelope')
        ? standingInput(services, readForm(standingForm, request))
        : undefined;
      const input: AnswerInput = {
        id: request.params.id,
        receivedAt,
        ...form,
        ...(standing && { standing }),
      };
      const { action, counted } = await answerAction(services, session.actor, {
        ...input,
        breakGlass: breakGlass === 'true',
      });
      if (counted) metrics.decided.inc({ verdict: form.verdict });
      return reply.redirect(`/actions/${action.id}?done=${counted ? form.verdict : 'again'}`, 303);
    };
    return hasField(request, 'envelope') ? orAgain(session, request, reply, 'standing', decide) : decide();
  });
  app.post<WithId>('/actions/:id/edits', hidden, async (request, reply) => {
    const receivedAt = services.clock.now();
    const session = await requireForm(services, request);
    return orAgain(session, request, reply, 'edit', async () => {
      const { args, ...form } = readForm(editForm, request);
      const input = { id: request.params.id, args: argsFrom(args), receivedAt, ...form };
      const action = await editAction(services, session.actor, input);
      return reply.redirect(`/actions/${action.id}?done=edit`, 303);
    });
  });

  async function orAgain(
    session: Session,
    request: Posted,
    reply: FastifyReply,
    form: Draft['form'],
    work: () => Promise<FastifyReply>,
  ): Promise<FastifyReply> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof AppError) || !MENDABLE.includes(error.code)) throw error;
      const field = form === 'edit' ? 'args' : 'envelope';
      const draft = { form, text: textField(request, field), reason: textField(request, 'reason') };
      return sendAction(services, session, reply, request.params.id, { problem: error, draft });
    }
  }
}

const MENDABLE: readonly ErrorCode[] = ['invalid_input', 'args_not_exact', 'reason_needed'];

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
