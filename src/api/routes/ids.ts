import { z } from 'zod';
import { requireRole } from '../../actor.ts';
import { AppError } from '../../errors.ts';
import { ID_KINDS, ID_PREFIX_MIN, idsBeginning, isIdBeginning } from '../../records/id-prefix.ts';
import type { Api, RouteDeps } from '../app.ts';
import { actorOf, requireReader } from '../auth.ts';
import { textSchema } from '../schemas.ts';

/** Whole ids from their beginnings, for those who type them. */
export function idRoutes(app: Api, { services }: RouteDeps): void {
  app.get(
    '/v1/ids/:kind/:prefix',
    {
      schema: {
        operationId: 'findIds',
        tags: ['ids'],
        summary: 'The ids that begin with this, at most five',
        params: z.object({
          kind: z.enum(ID_KINDS),
          prefix: textSchema(36, ID_PREFIX_MIN).describe('Its beginning, four digits at least'),
        }),
        response: { 200: z.object({ ids: z.array(z.string()) }) },
      },
    },
    async (request) => {
      const actor = actorOf(request);
      const { kind, prefix } = request.params;
      if (kind === 'token') requireRole(actor, ['admin']);
      else requireReader(actor);
      const ids = isIdBeginning(prefix) ? await idsBeginning(services.db.sql, kind, prefix, actor.agent) : [];
      if (ids.length === 0)
        throw new AppError('not_found', `No ${kind.replace('_', ' ')} begins with "${prefix}"`);
      return { ids };
    },
  );
}
