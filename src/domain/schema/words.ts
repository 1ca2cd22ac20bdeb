import { z } from 'zod';
import { saysSomething } from '../unseen.ts';

/** Told to people: they must be able to see it. */
export const wordsSchema = z
  .string()
  .min(1)
  .refine(saysSomething, 'write it with letters, digits or symbols that people can see');
