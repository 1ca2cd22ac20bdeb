import { z } from 'zod';
import { receiptsOf } from '../../approvals/receipts/list.ts';
import { AppError } from '../../errors.ts';
import { ownAction } from '../../records/action.ts';
import type { Api, RouteDeps } from '../app.ts';
import { actorOf, maySeeArgs, requireReader } from '../auth.ts';
import { idSchema } from '../schemas.ts';

/** The signed proof of each decision. */
export function receiptRoutes(app: Api, { services }: RouteDeps): void {
  app.get(
    '/v1/actions/:id/receipt',
    {
      schema: {
        operationId: 'getReceipt',
        tags: ['approvals'],
        summary: 'The signed receipts of the decisions on an action',
        description:
          'A document that stands alone: portcullis receipt verify checks it with the keys of /.well-known/receipt-keys.json and without the service. For whoever may see the arguments.',
        params: z.object({ id: idSchema }),
        response: {
          200: z
            .object({
              receipts: z.array(
                z.object({
                  jws: z.string().describe('Compact JWS by Ed25519, type portcullis-receipt+jws'),
                  shown: z
                    .object({
                      text: z.string().describe('What the person was shown, redacted as it was'),
                      salt: z.string().describe('Hex; SHA-256(salt || text) is in the claims'),
                    })
                    .optional()
                    .describe('Absent once erased: then only its digest is proved'),
                }),
              ),
            })
            .meta({ id: 'Receipts' }),
        },
      },
    },
    async (request) => {
      const actor = actorOf(request);
      requireReader(actor);
      const { id, agent } = await ownAction(services.db.sql, actor, request.params.id);
      if (!maySeeArgs(actor, agent))
        throw new AppError('forbidden', `${actor.id} may not see what was shown of action ${id}`);
      return { receipts: await receiptsOf(services.db.sql, id) };
    },
  );
}
