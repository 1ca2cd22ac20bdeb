import { ownRollout } from '../../records/rollout.ts';
import { rolloutReport } from '../../reports/rollout.ts';
import type { Api, RouteDeps } from '../app.ts';
import { requireSession } from './access.ts';
import { sendPage } from './layout.ts';
import { reportPart } from './rollout-report.ts';

/** One rollout: its plan, what it waits for, its evidence and what happened. */
export function rolloutPage(app: Api, { services }: RouteDeps): void {
  app.get<{ Params: { id: string } }>('/rollouts/:id', { schema: { hide: true } }, async (request, reply) => {
    const session = await requireSession(services, request);
    const { id, agent } = await ownRollout(services.db.sql, session.actor, request.params.id);
    const report = await rolloutReport(services, id);
    return sendPage(services, reply, {
      title: `Rollout of ${agent}`,
      session,
      main: reportPart(report),
    });
  });
}
