import { ownRollout } from '../../records/rollout.ts';
import { rolloutReport } from '../../reports/rollout.ts';
import { type CycleRow, listCycleReviews } from '../../reviews/cycle-list.ts';
import { verbsOf } from '../../rollouts/verbs.ts';
import type { Api, RouteDeps } from '../app.ts';
import { requireSession } from './access.ts';
import { type Html, html } from './html.ts';
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
      const reviews = await listCycleReviews(services.db.sql, { agent: record.agent });
      return sendPage(services, reply, {
        title: `Rollout of ${record.agent}`,
        session,
        main: html`${done !== undefined && html`<p class="done" role="status">${done}</p>`}
${reportPart(report, verbForms(report.rollout, may, session.formToken))}
${reviewsPart(reviews.filter(({ rollout_id }) => rollout_id === record.id))}`,
      });
    },
  );
}

const reviewsPart = (reviews: readonly CycleRow[]): Html | undefined =>
  reviews.length === 0
    ? undefined
    : html`<h2>Reviews of its cycles</h2>
<ul class="rows">${reviews.map(
        ({ id, ending, state }) =>
          html`<li><a href="/cycle-reviews/${encodeURIComponent(id)}">${ending.replaceAll('_', ' ')}</a><br><span class="meta">${id}, ${state.replace('_', ' ')}</span></li>`,
      )}</ul>`;
