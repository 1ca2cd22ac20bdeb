import { ownRollout } from '../../records/rollout.ts';
import { rolloutReport } from '../../reports/rollout.ts';
import { verbsOf } from '../../rollouts/verbs.ts';
import type { Api, RouteDeps } from '../app.ts';
import { requireSession } from './access.ts';
import { html } from './html.ts';
import { sendPage } from './layout.ts';
import { doneText, verbForms } from './rollout-forms.ts';
import { reportPart } from './rollout-report.ts';

interface Query {
  done?: string;
}

/** One rollout: its plan, what it waits for, its evidence, what happened, and what can be done about it. */
export function rolloutPage(app: Api, { services }: RouteDeps): void {
  app.get<{ Params: { id: string }; Querystring: Query }>(
    '/rollouts/:id',
    { schema: { hide: true } },
    async (request, reply) => {
      const session = await requireSession(services, request);
      const record = await ownRollout(services.db.sql, session.actor, request.params.id);
      const report = await rolloutReport(services, record.id);
      const may = await verbsOf(services, session.actor, record);
      const done = doneText(request.query.done);
      return sendPage(services, reply, {
        title: `Rollout of ${record.agent}`,
        session,
        main: html`${done !== undefined && html`<p class="done" role="status">${done}</p>`}
${reportPart(report, verbForms(report.rollout, may, session.formToken))}`,
      });
    },
  );
}
