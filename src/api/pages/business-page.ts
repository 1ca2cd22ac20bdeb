import { z } from 'zod';
import { type Figure, figureText } from '../../domain/business/figure.ts';
import { armsSentence, beforeText, figuresOf } from '../../domain/business/words.ts';
import { type BusinessFigures, readBusiness } from '../../statistics/business.ts';
import type { Api, RouteDeps } from '../app.ts';
import { periodAsked, periodQuery } from '../routes/replays.ts';
import { agentNameSchema } from '../schemas.ts';
import { requireSession } from './access.ts';
import { type Html, html } from './html.ts';
import { sendPage } from './layout.ts';

const timeText = (at: Date): string => at.toISOString().slice(0, 16).replace('T', ' ');

/** What an agent comes to for the business, each figure with what it is made of. */
export function businessPage(app: Api, { services }: RouteDeps): void {
  app.get(
    '/business/:agent',
    {
      schema: {
        hide: true,
        params: z.object({ agent: agentNameSchema }),
        querystring: z.object(periodQuery('30d')),
      },
    },
    async (request, reply) => {
      const session = await requireSession(services, request);
      const { agent } = request.params;
      const period = periodAsked(services, request.query);
      const found = await readBusiness(services, session.actor, { agent, ...period });
      return sendPage(services, reply, { title: `Business of ${agent}`, session, main: businessMain(found) });
    },
  );
}

export const businessMain = (found: BusinessFigures): Html => html`<h1>Business of ${found.agent}</h1>
<p>${timeText(found.from)} to ${timeText(found.to)}. Complete and mature up to ${timeText(found.matureBefore)}: what was asked
later is in none of these figures.</p>
<p class="meta"><a href="?since=7d">7 days</a> · <a href="?since=30d">30 days</a> · <a href="?since=90d">90 days</a></p>
<table><caption>All segments</caption><thead><tr><th>figure</th><th>value</th><th>before</th><th>made of</th><th>technical signal</th></tr></thead><tbody>
${figuresOf(found.whole).map((one, at) => figureRow(one, figuresOf(found.before.whole)[at]))}
</tbody></table>
${found.segments.length > 0 && segmentsTable(found)}
${found.controls.length > 0 && controlsTable(found)}
<h2>Between arms</h2>
${
  found.arms.length > 0
    ? html`<ul>${found.arms.map((one) => html`<li>${armsSentence(one)}</li>`)}</ul>`
    : html`<p>No candidate ran beside what is in force: nothing here is shown to be caused.</p>`
}`;

const figureRow = (one: Figure, before: Figure | undefined): Html => html`<tr><th scope="row">${one.name}</th>
<td>${figureText(one)}</td><td>${before && beforeText(one, before)}</td>
<td>${one.inputs.join('; ')}${one.unknown.map((what) => html`<br><strong>Not known:</strong> ${what}`)}</td><td>${one.signal}</td></tr>`;

const segmentsTable = ({
  segments,
}: BusinessFigures): Html => html`<table><caption>By segment</caption><thead><tr><th>segment</th><th>stayed right</th><th>people</th>
<th>waiting</th><th>latency</th><th>cost</th></tr></thead><tbody>
${segments.map(
  ({ segment, figures }) => html`<tr><th scope="row">${segment}</th><td>${figureText(figures.completion)}</td>
<td>${figureText(figures.correction)}</td><td>${figureText(figures.effort.waiting)}</td>
<td>${figureText(figures.latency)}</td><td>${figureText(figures.cost)}</td></tr>`,
)}
</tbody></table>`;

const controlsTable = ({
  controls,
}: BusinessFigures): Html => html`<table><caption>Each control: harm stopped beside friction</caption><thead><tr><th>tool</th>
<th>stopped</th><th>friction</th><th>denied by policy</th></tr></thead><tbody>
${controls.map(
  ({
    tool,
    stopped,
    friction,
    deniedByPolicy,
  }) => html`<tr><th scope="row">${tool}</th><td>${stopped.text}</td>
<td>${friction.text}</td><td>${deniedByPolicy}</td></tr>`,
)}
</tbody></table>`;
