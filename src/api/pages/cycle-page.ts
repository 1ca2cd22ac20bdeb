import { z } from 'zod';
import type { CycleFacts, WrittenReview } from '../../domain/review/cycle.ts';
import { gatherFacts } from '../../reviews/cycle-facts.ts';
import { type CycleRow, calibration, cycleReviewById, listCycleReviews } from '../../reviews/cycle-list.ts';
import { cycleDueAt } from '../../reviews/remind.ts';
import type { Api, RouteDeps } from '../app.ts';
import { agentScope } from '../auth.ts';
import { textSchema } from '../schemas.ts';
import { requireSession } from './access.ts';
import { cycleFormsPart } from './cycle-forms.ts';
import { type Html, html } from './html.ts';
import { row, sendPage } from './layout.ts';
import { minuteText } from './words.ts';

const params = z.object({ id: textSchema(200, 1) });

/** The reviews of cycles, what is owed first, and one of them: facts of the system, then what people make of them. */
export function cyclePages(app: Api, { services }: RouteDeps): void {
  const { sql: db } = services.db;
  app.get('/cycle-reviews', { schema: { hide: true } }, async (request, reply) => {
    const session = await requireSession(services, request);
    const agent = agentScope(session.actor, undefined);
    const rows = await listCycleReviews(db, { agent });
    const [owed, settled] = [
      rows.filter(({ settled_at }) => settled_at === null),
      rows.filter((one) => one.settled_at !== null),
    ];
    const teams = await calibration(db, agent);
    return sendPage(services, reply, {
      title: 'Reviews of cycles',
      session,
      main: html`<h1>Reviews of cycles</h1>
<h2>Owed</h2>
${owed.length === 0 && html`<p class="meta">None: no start waits for a review.</p>`}
<ul class="rows">${owed.map((one) => item(one, services.dayMs))}</ul>
<h2>Written</h2>
${settled.length === 0 && html`<p class="meta">None yet.</p>`}
<ul class="rows">${settled.map((one) => item(one, services.dayMs))}</ul>
${
  teams.length > 0 &&
  html`<h2>How predictions came out</h2><ul>${teams.map(
    ({ team, hit, miss, notMeasurable, open }) =>
      html`<li>${team}: ${hit} came true, ${miss} did not, ${notMeasurable} could not be measured, ${open} open</li>`,
  )}</ul>`
}`,
    });
  });
  app.get<{ Params: { id: string }; Querystring: { done?: string } }>(
    '/cycle-reviews/:id',
    { schema: { hide: true, params } },
    async (request, reply) => {
      const session = await requireSession(services, request);
      const found = await cycleReviewById(db, session.actor, request.params.id);
      const one = await gatherFacts(services, found);
      return sendPage(services, reply, {
        title: `Review of ${one.agent}, release ${one.release}`,
        session,
        main: html`${request.query.done === 'recorded' && html`<p class="done" role="status">Recorded.</p>`}
${headPart(one, services.dayMs)}
${one.facts ? factsPart(one.facts) : undefined}
${one.body ? writtenPart(one, one.body) : undefined}
${await cycleFormsPart(services, session, one)}`,
      });
    },
  );
}

const endingText = (ending: string): string => ending.replaceAll('_', ' ');

const item = (one: CycleRow, dayMs: number): Html =>
  html`<li><a href="/cycle-reviews/${encodeURIComponent(one.id)}">${one.agent}, release ${one.release}: ${endingText(one.ending)}</a><br><span class="meta">${one.id}, ${one.state.replace('_', ' ')}, ${
    one.settled_at === null
      ? `due ${minuteText(cycleDueAt(one.opened_at, dayMs))} UTC`
      : `written by ${one.written_by ?? '?'}`
  }</span></li>`;

const headPart = (
  one: CycleRow,
  dayMs: number,
): Html => html`<h1>${one.agent}, release ${one.release}: ${endingText(one.ending)}</h1>
<dl>
${row('Review', one.id)}
${row('Rollout', html`<a href="/rollouts/${encodeURIComponent(one.rollout_id)}">${one.rollout_id}</a>`)}
${row('Segments', one.segments.join(', '))}
${row('Because', one.because)}
${row('Due', one.settled_at === null ? `${minuteText(cycleDueAt(one.opened_at, dayMs))} UTC: the next start of the agent waits for it` : undefined)}
${row('The frozen criteria recommend', one.recommendation === null ? undefined : endingText(one.recommendation))}
${row('Decided', one.decision === null ? undefined : endingText(one.decision))}
${row('Waits for', one.state === 'awaiting_second' ? 'a second person: it is decided against what the criteria recommend' : undefined)}
${row('Seconded by', one.seconded_by ?? undefined)}
</dl>`;

const listed = (title: string, lines: readonly string[]): Html => html`<h3>${title}</h3>
${lines.length === 0 ? html`<p class="meta">Nothing.</p>` : html`<ul>${lines.map((line) => html`<li>${line}</li>`)}</ul>`}`;

const verdictsTable = (
  verdicts: CycleFacts['verdicts'],
): Html => html`<div class="wide"><table><thead><tr><th scope="col">Segment</th><th scope="col">Metric</th><th scope="col">Verdict</th><th scope="col">Value</th><th scope="col">Limit</th><th scope="col">Events</th></tr></thead>
<tbody>${verdicts.map(
  ({ segment, metric, verdict, value, limit, events }) =>
    html`<tr><th scope="row">${segment}</th><td>${metric}</td><td>${verdict}</td><td>${value === null ? '' : Number(value.toPrecision(3))}</td><td>${limit ?? ''}</td><td>${events}</td></tr>`,
)}</tbody></table></div>`;

const factsPart = (
  facts: CycleFacts,
): Html => html`<h2>What changed, ${minuteText(new Date(facts.since))} to ${minuteText(new Date(facts.until))} UTC</h2>
${listed(
  'The release',
  facts.releaseDiff.map(
    ({ sign, what, detail }) => `${sign} ${what}${detail === undefined ? '' : `: ${detail}`}`,
  ),
)}
${listed(
  'Its guardrails',
  facts.guardrails.map(({ sign, what }) => `${sign} ${what}`),
)}
${listed('Builds of the agent', facts.builds)}
${listed(
  'Stops',
  facts.switches.map(
    ({ scope, reason, by, at, endedAt }) =>
      `${scope}, ${minuteText(new Date(at))} UTC by ${by}: ${reason}${endedAt === null ? ', still off' : ''}`,
  ),
)}
<h2>What was seen</h2>
${facts.verdicts.length === 0 ? html`<p class="meta">Nothing was judged.</p>` : verdictsTable(facts.verdicts)}
${listed('Cost', facts.cost === null ? ['No rates are declared.'] : facts.cost.segments.map(({ segment, metric, amount }) => `${segment}, ${metric}: ${amount.toFixed(2)} ${facts.cost?.currency}`))}
${listed('Cases', facts.cases === null ? ['The agent has none.'] : [`${facts.cases.green} green, ${facts.cases.red} red, ${facts.cases.unevaluable} that cannot be evaluated, ${facts.cases.notApplicable} that say nothing of it`])}
<h3>Incidents</h3>
${facts.incidents.length === 0 && html`<p class="meta">None.</p>`}
<ul>${facts.incidents.map((id) => html`<li><a href="/incidents/${encodeURIComponent(id)}">${id}</a></li>`)}</ul>`;

const writtenPart = (
  one: CycleRow,
  { cause, next, prediction }: WrittenReview,
): Html => html`<h2>What people make of it</h2>
<dl>
${row('Written by', one.written_at === null ? undefined : `${one.written_by ?? '?'}, ${minuteText(one.written_at)} UTC`)}
${row('Likely cause', `${cause.mechanism} (${cause.confidence}): ${cause.text}`)}
${row('It would be wrong if', cause.refutedBy)}
${row('Next', `${next.sentence} (${next.owner}, by ${next.by}${one.follow_up_id === null ? '' : `, ${one.follow_up_id}`})`)}
${row('Prediction', `${prediction.metric} in ${prediction.segment} from ${prediction.from} to ${prediction.to} by ${prediction.by}`)}
${row('It came out', one.prediction === null ? undefined : outcomeText(one))}
</dl>`;

function outcomeText({ prediction, measured }: CycleRow): string {
  if (prediction === 'open') return 'not known yet';
  const value =
    measured?.value === null || measured === null ? '' : `: ${measured.value} of ${measured.events} events`;
  return `${endingText(prediction ?? '')}${value}`;
}
