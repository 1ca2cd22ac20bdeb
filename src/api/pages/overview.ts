import { listActions } from '../../actions/list.ts';
import type { Actor } from '../../actor.ts';
import { type AgentView, agentView, listAgents } from '../../agents/list.ts';
import { queueFor } from '../../approvals/queue.ts';
import { listRollouts } from '../../rollouts/list.ts';
import { type RolloutStatusView, rolloutStatus } from '../../rollouts/status.ts';
import type { Services } from '../../services.ts';
import { listDisabled } from '../../switches/list.ts';
import type { Api, RouteDeps } from '../app.ts';
import { maySee } from '../auth.ts';
import { requireSession } from './access.ts';
import { type Html, html } from './html.ts';
import { sendPage, testModeNotice } from './layout.ts';
import { timeWords } from './words.ts';

const WAITING_MAX = 100;

/** What is governed, what is in force, what waits and what is off. An empty service says what to type next. */
export function overviewPage(app: Api, { services }: RouteDeps): void {
  app.get('/', { schema: { hide: true } }, async (request, reply) => {
    const names = (await listAgents(services.db.sql)).map(({ agent }) => agent);
    if (names.length === 0) return sendPage(services, reply, { title: 'Start', main: START });
    const session = await requireSession(services, request);
    const { actor } = session;
    const agents = await Promise.all(
      names.filter((name) => maySee(actor, name)).map((name) => agentView(services.db.sql, name)),
    );
    const { actions } = await listActions(services.db.sql, {
      agent: actor.agent,
      state: 'pending',
      limit: WAITING_MAX,
    });
    const mineNow = (await queueFor(services, actor)).length;
    return sendPage(services, reply, {
      title: 'Overview',
      session,
      notices: agents.map(({ manifest }) => testModeNotice(manifest)),
      main: html`<h1>Overview</h1>
${await switchedOff(services, actor)}
<p>${mineNow > 0 && html`<strong><a href="/queue">${mineNow} ${mineNow === 1 ? 'waits' : 'wait'} for you</a></strong> · `}
<a href="/actions?state=pending">${waiting(actions.length)}</a> · <a href="/actions">All actions</a></p>
${agents.map(agentPart)}
${await rollouts(services, actor)}
<p class="meta"><a href="/openapi.json">API</a> · <a href="/readyz">Readiness</a> · <a href="/metrics">Metrics</a></p>`,
    });
  });
}

const waiting = (count: number): string => {
  if (count === 0) return 'Nothing waits for a decision';
  const shown = count >= WAITING_MAX ? `${WAITING_MAX} or more` : String(count);
  return `${shown} ${count === 1 ? 'action waits' : 'actions wait'} for a decision`;
};

const START = html`<h1>Nothing is governed yet</h1>
<p>Type this next:</p>
<pre>portcullis init
portcullis apply agent.yaml
portcullis apply release.yaml</pre>
<p><code>init</code> writes a first agent and release; <code>apply</code> checks them, shows what would change and asks
before it is done.</p>
<p><a href="/login">Sign in</a></p>`;

async function switchedOff(services: Services, actor: Actor): Promise<Html | undefined> {
  const off = await listDisabled(services.db.sql, actor.agent);
  if (off.length === 0) return undefined;
  const now = services.clock.now();
  return html`<div class="problem" role="alert"><h2>Switched off</h2><ul>${off.map(
    ({ scope, reads, reason, actor, changed_at, enable_asked_by, later }) =>
      html`<li><strong>${scope}</strong>${
        reads ? ' (reads too)' : ''
      }: ${reason} (${actor}, ${timeWords(changed_at.toISOString(), now)})${
        enable_asked_by ? ` · ${enable_asked_by} asked to enable it, a second person is needed` : ''
      }${later.map(({ actor, reason, at }) => html`<br>and again: ${reason} (${actor}, ${timeWords(at.toISOString(), now)})`)}</li>`,
  )}</ul></div>`;
}

function agentPart({ agent, revision, inForce, releases, manifest }: AgentView): Html {
  const advisory = Object.entries(manifest.tools).flatMap(([name, tool]) => (tool.advisory ? [name] : []));
  return html`<h2>${agent}</h2>
<p class="meta">${manifest.description ?? ''} Manifest revision ${revision}, ${Object.keys(manifest.tools).length} tools${
    advisory.length > 0 ? `, advisory: ${advisory.join(', ')}` : ''
  }. <a href="/actions?agent=${encodeURIComponent(agent)}">Its actions</a> · <a
href="/business/${encodeURIComponent(agent)}">Business</a></p>
${inForce.length === 0 ? nothingInForce(agent, releases.at(-1)?.version) : forceList(inForce)}`;
}

const forceList = (inForce: AgentView['inForce']): Html =>
  html`<dl>${inForce.map(({ segment, release, because }) => html`<dt>${segment}</dt><dd>release ${release} (${because})</dd>`)}</dl>`;

const nothingInForce = (
  agent: string,
  release: string | undefined,
): Html => html`<p>Nothing is in force, so everything
is denied. Type this next:</p>
<pre>${release === undefined ? 'portcullis apply release.yaml' : `portcullis adopt ${agent} ${release}`}</pre>`;

async function rollouts(services: Services, actor: Actor): Promise<Html | undefined> {
  const open = (await listRollouts(services.db.sql, actor.agent)).filter(({ ended_at }) => ended_at === null);
  if (open.length === 0) return html`<h2>Open rollouts</h2><p class="meta">None.</p>`;
  const all = await Promise.all(open.map(({ id }) => rolloutStatus(services, id)));
  return html`<h2>Open rollouts</h2>${all.map(rolloutPart)}`;
}

const rolloutPart = (
  status: RolloutStatusView,
): Html => html`<h3>${status.agent} release ${status.release}: ${status.phase},
step ${status.step} of ${status.steps}, ${status.plan}${status.status === 'paused' ? ' (paused)' : ''}</h3>
<p class="meta"><a href="/rollouts/${encodeURIComponent(status.id)}">${status.id}</a></p>
<p>${status.waitsFor.length === 0 ? 'It waits for nothing.' : 'It waits for:'}</p>
<ul>${status.waitsFor.map(({ detail }) => html`<li>${detail}</li>`)}</ul>
<dl>${status.segments.map(
  ({ segment, state, exposurePercent, verdicts, asks }) =>
    html`<dt>${segment}</dt><dd>${exposurePercent} % (${state}${asks ? ', each write asks' : ''})${verdicts.map(
      ({ metric, verdict, count }) =>
        ` · ${metric}: ${verdict}${count ? `, ${count.total} harms where ${Number(count.allowed.toPrecision(2))} are allowed` : ''}`,
    )}</dd>`,
)}</dl>`;
