import { drawSystem } from '../../domain/system/draw.ts';
import { COLUMNS } from '../../domain/system/stages.ts';
import { figureText, headText, momentText } from '../../domain/system/text.ts';
import { GROUPED_ABOVE, type StageView, type SystemView, type ToolView } from '../../domain/system/view.ts';
import { AppError } from '../../errors.ts';
import { readSystem, WINDOW_DEFAULT } from '../../system/read.ts';
import type { Api, RouteDeps } from '../app.ts';
import { agentScope } from '../auth.ts';
import { givenInstantSchema } from '../schemas.ts';
import { requireSession } from './access.ts';
import { Html, html } from './html.ts';
import { sendPage } from './layout.ts';

interface Query {
  agent?: string;
  at?: string;
  incident?: string;
  window?: string;
  idle?: string;
}

/** The system at a moment: the picture, and the same as tables for whoever does not see it. */
export function systemPage(app: Api, { services }: RouteDeps): void {
  app.get<{ Querystring: Query }>('/system', { schema: { hide: true } }, async (request, reply) => {
    const session = await requireSession(services, request);
    const { query } = request;
    const view = await readSystem(services, session.actor, {
      agent: agentScope(session.actor, said(query.agent)),
      at: momentOf(said(query.at)),
      incident: said(query.incident),
      window: said(query.window),
    });
    const idle = query.idle === 'true';
    return sendPage(services, reply, {
      title: 'System',
      session,
      main: html`<h1>System</h1>
<p>${headText(view)}.</p>
${view.incident && incidentPart(view.incident, view)}
${view.notes.length > 0 && html`<ul>${view.notes.map((note) => html`<li>${note}</li>`)}</ul>`}
${filterForm(query)}
<div class="wide picture">${new Html(drawSystem(view, { idle }))}</div>
${COLUMNS.map((column) => columnPart(view, column))}
${toolsPart(view, idle)}`,
    });
  });
}

const said = (text: string | undefined): string | undefined =>
  text === undefined || text.trim() === '' ? undefined : text.trim();

/** @throws AppError `invalid_input` */
function momentOf(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const read = givenInstantSchema.safeParse(text);
  if (!read.success)
    throw new AppError('invalid_input', `"As at": ${read.error.issues[0]?.message ?? 'not an instant'}`);
  return new Date(read.data);
}

const incidentPart = (
  { id, title, mechanism }: NonNullable<SystemView['incident']>,
  view: SystemView,
): Html => {
  const failed = view.stages.find((stage) => stage.failed);
  return html`<p class="problem">${id}: ${title}. ${
    failed
      ? html`Mechanism ${mechanism ?? ''}: it failed at <strong>${failed.title}</strong>, which is for ${failed.owner}.`
      : 'Not classified yet: no link is marked.'
  }</p>`;
};

const filterForm = ({
  agent,
  at,
  incident,
  window,
  idle,
}: Query): Html => html`<form class="filters" method="get" action="/system">
<div><label for="agent">Agent</label><input id="agent" name="agent" value="${agent ?? ''}"></div>
<div><label for="at">As at (UTC)</label><input id="at" name="at" placeholder="2026-12-24T18:00:00Z" value="${at ?? ''}"></div>
<div><label for="incident">Or when opened</label><input id="incident" name="incident" placeholder="inc-…" value="${incident ?? ''}"></div>
<div><label for="window">Window</label><input id="window" name="window" placeholder="${WINDOW_DEFAULT}" value="${window ?? ''}"></div>
<div><label for="idle">Idle tools</label><select id="idle" name="idle">
<option value="">hidden</option><option value="true"${new Html(idle === 'true' ? ' selected' : '')}>shown</option></select></div>
<button type="submit">Show</button>
</form>`;

const columnPart = (
  { stages }: SystemView,
  column: string,
): Html => html`<h2>${column[0]?.toUpperCase()}${column.slice(1)}</h2>
${stages.filter((stage) => stage.column === column).map(stagePart)}`;

const stagePart = (stage: StageView): Html => {
  const { title, figures, nodes, failed, lit, lookAt, owner } = stage;
  const mark = failed ? ' · it failed here' : lit ? ' · on the path' : '';
  return html`<details id="${stage.id}"><summary>${title}: ${figureText(figures)}${mark}</summary>
<dl>
<dt>inputs</dt><dd>${stage.inputs}</dd>
<dt>outputs</dt><dd>${stage.outputs}</dd>
<dt>failure boundary</dt><dd>${stage.boundary}</dd>
<dt>when broken</dt><dd>${stage.whenBroken}</dd>
<dt>counts</dt><dd>${stage.counts}${stage.errors === undefined ? '' : `; errors: ${stage.errors}`}${stage.takes === undefined ? '' : `; p95: ${stage.takes}`}</dd>
<dt>last seen</dt><dd>${figures.lastSeen === null ? 'not in the window' : momentText(figures.lastSeen)}</dd>
<dt>owner</dt><dd>${owner}</dd>
<dt>look at</dt><dd>${lookAt.doc}, <code>${lookAt.test}</code></dd>
${nodes.length > 0 && html`<dt>made of</dt><dd>${nodes.map(({ name, events, detail }) => html`${name}${events > 0 ? ` ${events}` : ''}${detail ? ` (${detail})` : ''}<br>`)}</dd>`}
</dl></details>`;
};

function toolsPart({ tools, agents }: SystemView, idle: boolean): Html {
  const shown = tools.filter((tool) => idle || tool.lit || tool.line !== 'idle');
  const hidden = tools.length - shown.length;
  const groups = tools.length > GROUPED_ABOVE ? (['high', 'medium', 'low'] as const) : [undefined];
  return html`<h2>Tools</h2>
<p class="meta">${shown.length} of ${tools.length} shown${hidden > 0 ? `; ${hidden} had nothing in the window` : ''}.</p>
${groups.map((risk) => groupPart(risk, risk === undefined ? shown : shown.filter((tool) => tool.risk === risk), agents.length > 1))}`;
}

const groupPart = (risk: string | undefined, tools: readonly ToolView[], named: boolean): Html | undefined =>
  tools.length === 0
    ? undefined
    : html`${risk !== undefined && html`<h3>Risk ${risk}</h3>`}<div class="wide"><table>
<thead><tr><th scope="col">Tool</th><th scope="col">Line</th><th scope="col">Asked, rate, p95, errors</th><th scope="col">Denied</th>
<th scope="col">People</th><th scope="col">Begun</th><th scope="col">Done</th><th scope="col">Corrected</th><th scope="col">Last seen</th>
<th scope="col">Owner</th><th scope="col">Written without a begin</th></tr></thead>
<tbody>${tools.map((tool) => toolRow(tool, named))}</tbody></table></div>`;

const toolRow = (tool: ToolView, named: boolean): Html =>
  html`<tr><th scope="row">${named ? `${tool.agent}/` : ''}${tool.tool}${
    tool.lit ? ' (on the path)' : ''
  }</th><td>${tool.line}</td><td>${figureText(tool)}</td><td>${tool.denied}</td><td>${tool.waited}</td><td>${tool.begun}</td><td>${
    tool.executed
  }</td><td>${tool.corrected}</td><td>${tool.lastSeen === null ? '' : momentText(tool.lastSeen)}</td><td>${tool.owner}</td><td>${
    tool.outside
  }</td></tr>`;
