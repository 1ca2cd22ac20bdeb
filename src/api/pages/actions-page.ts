import type { ActionView } from '../../actions/action-view.ts';
import { type ActionFilter, listActions } from '../../actions/list.ts';
import { actionViews } from '../../actions/view.ts';
import { listAgents } from '../../agents/list.ts';
import { ACTION_STATES, type ActionState } from '../../domain/action.ts';
import { STATE_WORDS } from '../../domain/words.ts';
import type { Api, RouteDeps } from '../app.ts';
import { agentScope, maySee } from '../auth.ts';
import { requireSession } from './access.ts';
import { type Html, html } from './html.ts';
import { sendPage, testModeNotice } from './layout.ts';
import { timeWords } from './words.ts';

const PAGE_SIZE = 50;

interface Query {
  agent?: string;
  state?: string;
  segment?: string;
  cursor?: string;
}

/** What waits first, then the rest, newest first; filters work without a script. */
export function actionsPage(app: Api, { services }: RouteDeps): void {
  app.get<{ Querystring: Query }>('/actions', { schema: { hide: true } }, async (request, reply) => {
    const session = await requireSession(services, request);
    const { cursor } = request.query;
    const [asked, segment] = [given(request.query.agent), given(request.query.segment)];
    const state = ACTION_STATES.find((known) => known === request.query.state);
    const filter: ActionFilter = { agent: agentScope(session.actor, asked), segment, limit: PAGE_SIZE };
    const waiting =
      state || cursor ? [] : (await listActions(services.db.sql, { ...filter, state: 'pending' })).actions;
    const page = await listActions(services.db.sql, { ...filter, state, cursor: given(cursor) });
    const rest = state ? page.actions : page.actions.filter((action) => action.state !== 'pending' || cursor);
    const [waitingViews, restViews] = [
      await actionViews(services, waiting),
      await actionViews(services, rest),
    ];
    const now = services.clock.now();
    const agents = (await listAgents(services.db.sql))
      .map(({ agent }) => agent)
      .filter((agent) => maySee(session.actor, agent));
    return sendPage(services, reply, {
      title: 'Actions',
      session,
      notices: [...waitingViews, ...restViews].map(testModeNotice),
      main: html`<h1>Actions</h1>
${filters({ ...request.query, state }, agents)}
${!state && !cursor && html`<h2>Waiting for a decision (${waiting.length})</h2>${rows(waitingViews, now)}`}
<h2>${state ? STATE_WORDS[state] : 'Everything else, newest first'}</h2>
${rows(restViews, now)}
${page.nextCursor && html`<p><a href="/actions?${nextQuery({ agent: asked, segment, state }, page.nextCursor)}">Older ones</a></p>`}`,
    });
  });
}

const given = (text: string | undefined): string | undefined => (text === '' ? undefined : text);

function nextQuery(filter: Record<string, string | undefined>, cursor: string): string {
  const query = new URLSearchParams({ cursor });
  for (const [name, value] of Object.entries(filter)) if (value) query.set(name, value);
  return query.toString();
}

const option = (value: string, label: string, chosen: string | undefined): Html =>
  chosen === value
    ? html`<option value="${value}" selected>${label}</option>`
    : html`<option value="${value}">${label}</option>`;

const filters = (
  { agent, state, segment }: Query & { state?: ActionState },
  agents: readonly string[],
): Html => html`<form class="panel filters" method="get" action="/actions">
<div><label for="agent">Agent</label>
<select id="agent" name="agent">${option('', 'All', agent)}${agents.map((name) => option(name, name, agent))}</select></div>
<div><label for="state">State</label>
<select id="state" name="state">${option('', 'All', state)}${ACTION_STATES.map((name) => option(name, name, state))}</select></div>
<div><label for="segment">Segment</label><input id="segment" name="segment" value="${segment ?? ''}"></div>
<div><button type="submit">Show</button></div>
</form>`;

function rows(actions: readonly ActionView[], now: Date): Html {
  if (actions.length === 0) return html`<p class="meta">None.</p>`;
  return html`<ul class="rows">${actions.map(
    (action) => html`<li><a href="/actions/${action.id}">${action.summary}</a>
<div class="meta"><span class="state">${STATE_WORDS[action.state]}</span> · ${action.agent} · ${action.tool} ·
${action.segment ?? 'no segment'} · asked ${timeWords(action.askedAt, now)}${
      action.state === 'pending' && action.expiresAt ? ` · decide by ${timeWords(action.expiresAt, now)}` : ''
    }</div></li>`,
  )}</ul>`;
}
