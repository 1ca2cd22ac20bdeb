import { z } from 'zod';
import { listCases } from '../../cases/list.ts';
import { runCases, type StoredSuiteResult } from '../../cases/run.ts';
import type { CaseRow } from '../../cases/store.ts';
import type { RegressionCase } from '../../domain/cases/case.ts';
import type { CaseWaiver } from '../../domain/rollout/blockers.ts';
import { manifestOf } from '../../records/manifest.ts';
import { releasesInForce } from '../../records/release.ts';
import { liveWaivers } from '../../rollouts/suite-gate.ts';
import type { Api, RouteDeps } from '../app.ts';
import { agentScope } from '../auth.ts';
import { agentNameSchema } from '../schemas.ts';
import { requireSession } from './access.ts';
import { type Html, html } from './html.ts';
import { sendPage } from './layout.ts';
import { minuteText } from './words.ts';

const SHOWN = 500;
/** With more of them `portcullis cases test` says what they come to, without holding up the service. */
const TRIED_MAX = 200;

/** What releases are held to: the agents that have cases, and the cases of one. */
export function casesPage(app: Api, { services }: RouteDeps): void {
  const { sql: db } = services.db;
  app.get('/cases', { schema: { hide: true } }, async (request, reply) => {
    const session = await requireSession(services, request);
    const scope = agentScope(session.actor, undefined);
    let query = db
      .selectFrom('regression_case')
      .select(({ fn }) => ['agent', 'state', fn.countAll<string>().as('count')])
      .groupBy(['agent', 'state'])
      .orderBy('agent')
      .orderBy('state');
    if (scope !== undefined) query = query.where('agent', '=', scope);
    const counts = await query.execute();
    const agents = [...new Set(counts.map(({ agent }) => agent))];
    const ofAgent = (name: string) =>
      counts
        .filter(({ agent }) => agent === name)
        .map(({ state, count }) => `${count} ${state}`)
        .join(', ');
    return sendPage(services, reply, {
      title: 'Regression cases',
      session,
      main: html`<h1>Regression cases</h1>
${agents.length === 0 && html`<p class="meta">None yet. One is made of an incident: <code>portcullis cases add</code></p>`}
<ul class="rows">${agents.map((name) => html`<li><a href="/cases/${encodeURIComponent(name)}">${name}</a><br><span class="meta">${ofAgent(name)}</span></li>`)}</ul>`,
    });
  });
  app.get(
    '/cases/:agent',
    { schema: { hide: true, params: z.object({ agent: agentNameSchema }) } },
    async (request, reply) => {
      const session = await requireSession(services, request);
      const { agent } = request.params;
      await manifestOf(db, agent);
      const rows = await listCases(db, session.actor, { agent });
      const waivers = await liveWaivers(db, agent, services.clock.now());
      const admitted = rows.filter(({ state }) => state === 'admitted').length;
      const inForce = admitted > 0 && admitted <= TRIED_MAX ? await releasesInForce(db, agent) : [];
      const suites: StoredSuiteResult[] = [];
      for (const { release } of inForce)
        suites.push(await runCases(services, session.actor, { agent, release: String(release) }));
      return sendPage(services, reply, {
        title: `Regression cases of ${agent}`,
        session,
        main: html`<h1>Regression cases of ${agent}</h1>
${suitesPart(suites, admitted)}
${waiversPart(waivers)}
<h2>Cases</h2>
${rows.length === 0 && html`<p class="meta">None yet. One is made of an incident: <code>portcullis cases add</code></p>`}
<ul class="rows">${rows.slice(0, SHOWN).map((row) => caseItem(row, suites))}</ul>
${rows.length > SHOWN && html`<p class="meta">The first ${SHOWN} of ${rows.length}; all of them: <code>portcullis cases list ${agent}</code></p>`}`,
      });
    },
  );
}

const suitesPart = (
  suites: readonly StoredSuiteResult[],
  admitted: number,
): Html => html`<h2>On what is in force</h2>
${
  suites.length === 0 &&
  html`<p class="meta">${admitted > TRIED_MAX ? `${admitted} cases are admitted: portcullis cases test says what they come to.` : 'No case is admitted, or nothing is in force.'}</p>`
}
<ul>${suites.map(
  ({ release, green, red, unevaluable, notApplicable }) =>
    html`<li>Release ${release}: ${green} green, ${red} red, ${unevaluable} that cannot be evaluated, ${notApplicable} that say nothing of it</li>`,
)}</ul>`;

const waiversPart = (waivers: readonly CaseWaiver[]): Html | undefined =>
  waivers.length === 0
    ? undefined
    : html`<h2>Waived</h2>
<ul class="rows">${waivers.map(
        (one) =>
          html`<li>${one.case} until ${minuteText(one.until)} UTC<br><span class="meta">${one.person}: ${one.reason}</span></li>`,
      )}</ul>`;

function caseItem(row: CaseRow, suites: readonly StoredSuiteResult[]): Html {
  const { says } = row.body as Partial<RegressionCase>;
  const found = suites.flatMap(({ release, results }) =>
    results
      .filter((one) => one.case === row.name)
      .map(({ verdict, why }) => html`<br>Release ${release}: <strong>${verdict}</strong> ${why}`),
  );
  const facts = [
    row.kind,
    row.state,
    row.red_on !== null && `red on release ${row.red_on}`,
    row.green_on !== null && `green on release ${row.green_on}`,
    row.admitted_by !== null && `admitted by ${row.admitted_by}`,
    row.owner !== null && `owner ${row.owner}`,
    row.review_by !== null && `to be looked at by ${row.review_by.toISOString().slice(0, 10)}`,
    row.stale_since !== null && 'its tools take other arguments since it was admitted',
    row.asked !== null && `${row.asked.by} asks to ${row.asked.verb} it: a second person is needed`,
    row.retire_reason !== null && `${row.state}: ${row.retire_reason}`,
  ].filter((fact) => fact !== false);
  return html`<li>${row.name}: ${says ?? ''}${found}<br><span class="meta">${facts.join(', ')}${
    row.from_incident !== null &&
    html`, from <a href="/incidents/${encodeURIComponent(row.from_incident)}">${row.from_incident}</a>`
  }${
    row.from_action !== null &&
    html`, <a href="/actions/${row.from_action}">${row.because}</a> by ${row.proposed_by}${row.covers > 1 && `, ${row.covers} times`}`
  }</span></li>`;
}
