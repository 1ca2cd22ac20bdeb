import { z } from 'zod';
import { doneText } from '../../domain/follow-up/done.ts';
import { INCIDENT_STATES } from '../../domain/incident/life.ts';
import { mechanismNamed } from '../../domain/incident/mechanisms.ts';
import { type FollowUpRow, listFollowUps } from '../../follow-ups/find.ts';
import { asSeenBy } from '../../incidents/blind.ts';
import {
  type IncidentRow,
  incidentById,
  listIncidents,
  type Recurrence,
  recurrenceOf,
} from '../../incidents/list.ts';
import { type IncidentReport, incidentReport } from '../../reports/incident.ts';
import type { Api, RouteDeps } from '../app.ts';
import { agentScope, mayReadLog } from '../auth.ts';
import { requireSession } from './access.ts';
import { Html, html } from './html.ts';
import { incidentFormsPart } from './incident-forms.ts';
import { row, sendPage } from './layout.ts';
import { minuteText } from './words.ts';

const LISTED = 50;
const querySchema = z.object({
  state: z.enum(INCIDENT_STATES).optional().catch(undefined),
  cursor: z.string().max(120).optional().catch(undefined),
});

/** Incidents, the newest first, and one of them whole. */
export function incidentsPage(app: Api, { services }: RouteDeps): void {
  const { sql: db } = services.db;
  app.get('/incidents', { schema: { hide: true } }, async (request, reply) => {
    const session = await requireSession(services, request);
    const { state, cursor } = querySchema.parse(request.query);
    const agent = agentScope(session.actor, undefined);
    const { incidents: found, nextCursor } = await listIncidents(db, { agent, state, cursor, limit: LISTED });
    const incidents = await asSeenBy(services, session.actor, found);
    return sendPage(services, reply, {
      title: 'Incidents',
      session,
      main: html`<h1>Incidents</h1>
${recurrenceHeadline(await recurrenceOf(db, agent))}
${stateFilter(state)}
${incidents.length === 0 && html`<p class="meta">None.</p>`}
<ul class="rows">${incidents.map(incidentItem)}</ul>
${
  nextCursor !== undefined &&
  html`<p><a href="/incidents?${state === undefined ? '' : `state=${state}&`}cursor=${encodeURIComponent(nextCursor)}">Older ones</a></p>`
}`,
    });
  });
  app.get<{ Params: { id: string }; Querystring: { done?: string } }>(
    '/incidents/:id',
    { schema: { hide: true } },
    async (request, reply) => {
      const session = await requireSession(services, request);
      const { id } = request.params;
      await incidentById(db, session.actor, id);
      const whole = await incidentReport(db, session.actor, id);
      const [incident = whole.incident] = await asSeenBy(services, session.actor, [whole.incident]);
      const report = { ...whole, incident };
      const { followUps } = await listFollowUps(db, { incident: id });
      return sendPage(services, reply, {
        title: `Incident ${id}`,
        session,
        main: html`${request.query.done === 'recorded' && html`<p class="done" role="status">Recorded.</p>`}
${headPart(report)}
${writesPart(report, mayReadLog(session.actor))}
${findingsPart(report.incident)}
${followUpsPart(followUps)}
${await incidentFormsPart(services, session, report.incident)}
${mayReadLog(session.actor) && timelinePart(report)}`,
      });
    },
  );
}

const recurrenceHeadline = ({ again, closed }: Recurrence): Html =>
  html`<p><strong>${again}</strong> happened again after one like it was closed; ${closed} are closed.</p>`;

const stateFilter = (
  chosen: string | undefined,
): Html => html`<form class="filters" method="get" action="/incidents">
<div><label for="state">State</label><select id="state" name="state"><option value="">any</option>${INCIDENT_STATES.map(
  (state) => html`<option value="${state}"${new Html(state === chosen ? ' selected' : '')}>${state}</option>`,
)}</select></div>
<button type="submit">Show</button>
</form>`;

const stateText = ({ merged_into, state }: IncidentRow): string =>
  merged_into === null ? state : `merged into ${merged_into}`;

const incidentItem = (one: IncidentRow): Html =>
  html`<li><a href="/incidents/${encodeURIComponent(one.id)}">${one.title}</a>${one.recurrence_of !== null && html` <strong>Recurrence</strong>`}<br><span class="meta">${one.id}, ${
    one.agent
  }${one.segment !== null && `, ${one.segment}`}: ${stateText(one)}, ${one.mechanism ?? 'unclassified'}, ${one.severity}, opened ${minuteText(one.opened_at)}, writes: ${one.writes}</span></li>`;

const linkTo = (id: string | null): Html | undefined =>
  id === null ? undefined : html`<a href="/incidents/${encodeURIComponent(id)}">${id}</a>`;

const headPart = ({ incident: one, writes, merged, cost }: IncidentReport): Html => html`<h1>${one.title}</h1>
<dl>
${row('Incident', `${one.id}, revision ${one.revision}`)}
${row('Agent', `${one.agent}${one.segment === null ? '' : `, ${one.segment}`}`)}
${row('State', stateText(one))}
${row('Merged into', linkTo(one.merged_into))}
${row('Recurrence of', linkTo(one.recurrence_of))}
${row('Mechanism', one.mechanism === null ? 'unclassified' : `${one.mechanism} (${one.certainty ?? 'known'})`)}
${row('Classify by', one.classify_by === null ? undefined : `${minuteText(one.classify_by)} UTC`)}
${row('Contributing', one.contributing.join(', '))}
${row('Origin', one.origin ?? undefined)}
${row('Result', one.result ?? undefined)}
${row('Owner', one.owner ?? undefined)}
${row('Severity', one.severity)}
${row('Opened', `${minuteText(one.opened_at)} UTC by ${one.opened_by}`)}
${row(
  'It ended',
  Object.entries(one.ended ?? {})
    .map(([name, count]) => `${name}: ${count}`)
    .join(', '),
)}
${row('Writes', writes)}
${merged.length > 0 && row('With it', html`${merged.map(({ id }) => html`${linkTo(id)} `)}`)}
${row('Cost', cost)}
${row('Closed', one.closed_at === null ? undefined : `${minuteText(one.closed_at)} UTC by ${one.closed_by ?? '?'}: ${one.close_reason ?? ''}`)}
</dl>`;

const writesPart = ({ listed }: IncidentReport, whole: boolean): Html | undefined =>
  listed.length === 0
    ? undefined
    : html`<h2>Writes</h2>
<ul class="rows">${listed.map(
        ({ action, tool, summary, because, state, reversibility, undo }) =>
          html`<li><a href="/actions/${action}">${(whole && summary) || tool || action}</a><br><span class="meta">${because}${state && `, ${state}`}${reversibility && `, ${reversibility}`}${undo && `, undo: ${undo}`}</span></li>`,
      )}</ul>`;

const findingsPart = ({ findings }: IncidentRow): Html => html`<h2>What the records say of each mechanism</h2>
<div class="wide"><table><thead><tr><th scope="col">Mechanism</th><th scope="col">Test</th><th scope="col">Answer</th></tr></thead>
<tbody>${((findings ?? []) as readonly Record<string, unknown>[]).map(
  ({ mechanism, answer, because, likely }) => {
    const name = String(mechanism);
    return html`<tr><th scope="row">${name}</th><td>${mechanismNamed(name)?.test}</td><td>${String(answer).replace('_', ' ')}${likely === true && ', likely'}: ${String(because)}</td></tr>`;
  },
)}</tbody></table></div>`;

const followUpsPart = (rows: readonly FollowUpRow[]): Html => html`<h2>Follow-ups</h2>
${rows.length === 0 && html`<p class="meta">None.</p>`}
<ul class="rows">${rows.map(
  ({ id, sentence, state, owner, due_at, done, severity }) =>
    html`<li>${sentence}<br><span class="meta">${id}, ${state}, ${severity}${owner !== null && `, ${owner}`}${due_at !== null && `, due ${minuteText(due_at)}`}; done when: ${doneText(done)}</span></li>`,
)}</ul>`;

const timelinePart = ({ timeline, nextEntry }: IncidentReport): Html => html`<h2>Timeline</h2>
<ul class="rows">${timeline.map(
  ({ entry, at, actor, text }) =>
    html`<li>${text}<br><span class="meta">${minuteText(at)} UTC, ${actor}, entry ${entry}</span></li>`,
)}</ul>
${nextEntry !== undefined && html`<p class="meta">More of it: <code>portcullis incidents show</code></p>`}`;
