import { saysSomething } from './domain/unseen.ts';
import { AppError } from './errors.ts';

/**
 * Of every verb that takes a person's reason: people must be able to see it.
 * @throws AppError `invalid_input` naming what cannot be done without one
 */
export function requireReason(reason: string, verb: string): void {
  if (!saysSomething(reason))
    throw new AppError('invalid_input', `Cannot ${verb} without a reason that people can see`, {
      hint: 'Say why, with letters, digits or symbols',
    });
}

/** A reason where none is needed: one that says nothing is none. */
export const reasonIn = (reason: string | undefined): string | undefined =>
  reason !== undefined && saysSomething(reason) ? reason : undefined;
