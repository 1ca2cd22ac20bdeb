import { z } from 'zod';
import type { Seal } from '../log/seal.ts';
import { instantSchema } from './schemas.ts';

/** Where the log was cut last. */
export const sealSchema = z
  .object({
    seq: z.number().int().describe('The log begins after this entry'),
    hash: z.string(),
    at: instantSchema.describe('Of that entry'),
    sealedAt: instantSchema,
    entries: z.number().int().describe('So many were dropped, up to and with it'),
    signed: z.string().describe('A JWS over seq and hash by a key of /.well-known/receipt-keys.json'),
  })
  .meta({ id: 'LogSeal' });

export const sealView = ({ at, sealedAt, ...seal }: Seal): z.infer<typeof sealSchema> => ({
  ...seal,
  at: at.toISOString(),
  sealedAt: sealedAt.toISOString(),
});
