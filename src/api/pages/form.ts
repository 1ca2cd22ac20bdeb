import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { AppError } from '../../errors.ts';

/** @throws AppError `invalid_input` naming the fields, never their content */
export function readForm<T>(schema: z.ZodType<T>, { body }: FastifyRequest): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'form'}: ${message}`);
  throw new AppError('invalid_input', `The form is not complete: ${lines.join('; ')}`);
}
