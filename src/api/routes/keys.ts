import { z } from 'zod';
import { rotateKeys } from '../../tokens/rotate-keys.ts';
import type { Api, RouteDeps } from '../app.ts';
import { actorOf } from '../auth.ts';
import { instantSchema, reasonSchema } from '../schemas.ts';

/** The keys that sign. Their public parts are served beside health, without a token. */
export function keyRoutes(app: Api, { services }: RouteDeps): void {
  app.post(
    '/v1/keys/rotate',
    {
      schema: {
        operationId: 'rotateKeys',
        tags: ['tokens'],
        summary: 'Sign with a new key from now on',
        description:
          'The old key stays in /.well-known/jwks.json until the last credential it signed has expired, and for ever in /.well-known/receipt-keys.json, by which receipts and checkpoints are verified.',
        body: z.strictObject({ reason: reasonSchema }),
        response: { 200: z.object({ kid: z.string(), retired: z.string(), servedUntil: instantSchema }) },
      },
    },
    async (request) => {
      const { servedUntil, ...kids } = await rotateKeys(services, actorOf(request), request.body);
      return { ...kids, servedUntil: servedUntil.toISOString() };
    },
  );
}
