import { z } from 'zod';
import type { PageSection, ReviewPage } from '../../domain/review/page-form.ts';
import { REVIEW_FUNCTIONS, type ReviewFunction } from '../../domain/review/weekly.ts';
import { weekChart } from '../../reviews/chart.ts';
import { functionsOf } from '../../reviews/readers.ts';
import { answerReview, listWeeklyReviews, type ReviewAnswer, weeklyReview } from '../../reviews/weekly.ts';
import type { Api, RouteDeps } from '../app.ts';
import { reasonSchema } from '../schemas.ts';
import { requireForm, requireSession } from './access.ts';
import { optional, readForm } from './form.ts';
import { Html, html } from './html.ts';
import { formTokenField, sendPage } from './layout.ts';

const answerForm = z.object({ function: z.enum(REVIEW_FUNCTIONS), comment: optional(reasonSchema) });

/** The weekly reviews, and one of them: the same parts in the same order each week. */
export function reviewsPage(app: Api, { services }: RouteDeps): void {
  app.get('/reviews', { schema: { hide: true } }, async (request, reply) => {
    const session = await requireSession(services, request);
    const rows = await listWeeklyReviews(services);
    return sendPage(services, reply, {
      title: 'Weekly reviews',
      session,
      main: html`<h1>Weekly reviews</h1>
<p><a href="/cycle-reviews">Reviews of cycles</a>: what each rollout came to, and what is owed.</p>
${rows.length === 0 && html`<p class="meta">No week has a page yet: one is made each Monday.</p>`}
<ul class="rows">${rows.map(
        ({ week, version, readBy }) =>
          html`<li><a href="/reviews/${encodeURIComponent(week)}">${week}</a>${version > 1 && ` (version ${version})`}<br><span class="meta">${readBy.length > 0 ? `read by ${readBy.join(', ')}` : 'nobody has read it yet'}</span></li>`,
      )}</ul>`,
    });
  });
  app.get<{ Params: { week: string }; Querystring: { done?: string } }>(
    '/reviews/:week',
    { schema: { hide: true } },
    async (request, reply) => {
      const session = await requireSession(services, request);
      const { page, stored, answers } = await weeklyReview(services, session.actor, request.params.week);
      const mine = session.actor.person ? await functionsOf(services.db.sql, session.actor.person) : [];
      return sendPage(services, reply, {
        title: page.title,
        session,
        main: html`${request.query.done === 'answered' && html`<p class="done" role="status">Recorded.</p>`}
${pagePart(page)}
${stored.difference.length > 0 && session.actor.agent === undefined && html`<h2>What late data changed</h2><ul>${stored.difference.map((line) => html`<li>${line}</li>`)}</ul>`}
${answersPart(answers)}
${answerPart(page.week, mine, session.formToken)}
<p class="meta">Version ${page.version}, ${stored.digest}. Made again: <code>portcullis reviews verify ${page.week}</code></p>`,
      });
    },
  );
  app.post<{ Params: { week: string } }>(
    '/reviews/:week/answers',
    { schema: { hide: true } },
    async (request, reply) => {
      const { actor } = await requireForm(services, request);
      const { week } = request.params;
      await answerReview(services, actor, { week, ...readForm(answerForm, request) });
      return reply.redirect(`/reviews/${encodeURIComponent(week)}?done=answered`, 303);
    },
  );
}

const pagePart = (page: ReviewPage): Html => html`<h1>${page.title}</h1>
${page.quiet !== null && html`<p class="done">${page.quiet}</p>`}
${page.sections.map(sectionPart)}
${
  page.charts.length > 0 &&
  html`<h2>Thirteen weeks</h2>
<p class="meta">Share of harm a week; its limit is dashed, the locked baseline a band, grey where outcomes are still to come;
a triangle where it was released, a cross where it was taken back.</p>
<div class="charts">${page.charts.map((cell) => new Html(weekChart(cell)))}</div>`
}`;

const sectionPart = ({ title, lines, table }: PageSection): Html => html`<h2>${title}</h2>
${lines.length > 0 && html`<ul>${lines.map(({ text, ref }) => html`<li>${text}${ref !== undefined && html` <span class="meta ref">${refPart(ref)}</span>`}</li>`)}</ul>`}
${
  table &&
  html`<div class="wide"><table><thead><tr>${table.head.map((name) => html`<th>${name}</th>`)}<th></th></tr></thead>
<tbody>${table.rows.map(
    ({ cells, colour }) =>
      html`<tr${colour !== undefined && html` class="${colour}"`}>${cells.map((cell) => html`<td>${cell}</td>`)}<td>${colour && html`<strong>${colour}</strong>`}</td></tr>`,
  )}</tbody></table></div>`
}`;

/** Where there is a page of it, a link to that. */
function refPart(ref: string): Html | string {
  const path = ref.startsWith('rev-') ? 'cycle-reviews' : ref.startsWith('inc-') ? 'incidents' : undefined;
  return path === undefined ? ref : html`<a href="/${path}/${encodeURIComponent(ref)}">${ref}</a>`;
}

const answersPart = (answers: readonly ReviewAnswer[]): Html => html`<h2>Read by</h2>
${answers.length === 0 && html`<p class="meta">Nobody yet.</p>`}
<ul>${answers.map((one) => html`<li>${one.function} (${one.person})${one.comment !== null && html`<blockquote>${one.comment}</blockquote>`}</li>`)}</ul>`;

const answerPart = (week: string, mine: readonly ReviewFunction[], formToken: string): Html | undefined =>
  mine.length === 0
    ? undefined
    : html`<form class="panel" method="post" action="/reviews/${encodeURIComponent(week)}/answers">${formTokenField(formToken)}
<label for="function">For</label><select id="function" name="function">${mine.map((name) => html`<option>${name}</option>`)}</select>
<label for="comment">Comment, if you have one</label><textarea id="comment" name="comment" rows="2"></textarea>
<button>I have read it</button></form>`;
