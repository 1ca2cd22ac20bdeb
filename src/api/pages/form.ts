import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { AppError } from '../../errors.ts';

type WithBody = Pick<FastifyRequest, 'body'>;

/** @throws AppError `invalid_input` naming the fields, never their content */
export function readForm<T>(schema: z.ZodType<T>, { body }: WithBody): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'form'}: ${message}`);
  throw new AppError('invalid_input', `The form is not complete: ${lines.join('; ')}`);
}

/** A field that was left empty is not there. */
export const optional = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (value === '' ? undefined : value), schema.optional());

const fieldsOf = ({ body }: WithBody): object => (typeof body === 'object' && body !== null ? body : {});

/** Whether the form has this field, empty or not. */
export const hasField = (request: WithBody, name: string): boolean => Object.hasOwn(fieldsOf(request), name);

/** What was typed into a field; nothing when it is not there, or there more than once. */
export function textField(request: WithBody, name: string): string {
  const value = hasField(request, name) ? (fieldsOf(request) as Record<string, unknown>)[name] : undefined;
  return typeof value === 'string' ? value : '';
}
