import { z } from 'zod';
import { BATCH_MAX, type BatchResult, decideBatch } from '../../actions/batch.ts';
import { type ActionView, actionViews } from '../../actions/view.ts';
import { queueFor } from '../../approvals/queue.ts';
import type { Api, RouteDeps } from '../app.ts';
import { reasonSchema } from '../schemas.ts';
import { requireForm, requireSession } from './access.ts';
import { readForm } from './form.ts';
import { type Html, html } from './html.ts';
import { formTokenField, sendPage, testModeNotice } from './layout.ts';
import { timeWords } from './words.ts';

/** What is chosen carries what was seen: id, revision and digest of the arguments. */
const itemSchema = z
  .string()
  .regex(/^[0-9a-f-]{36} \d+ [0-9a-f]{64}$/)
  .transform((text) => {
    const [id = '', revision = '', digest = ''] = text.split(' ');
    return { id, revision: Number(revision), digest };
  });
const batchForm = z.object({
  verdict: z.enum(['approve', 'deny']),
  reason: z.preprocess((text) => (text === '' ? undefined : text), reasonSchema.optional()),
  item: z.preprocess((one) => [one].flat(), z.array(itemSchema).min(1).max(BATCH_MAX)),
});

/** What this person may answer now, alike beside alike; several are answered at once, each by its own id. */
export function queuePage(app: Api, { services, metrics }: RouteDeps): void {
  app.get('/queue', { schema: { hide: true } }, async (request, reply) => {
    const session = await requireSession(services, request);
    const views = await actionViews(services, await queueFor(services, session.actor));
    return sendPage(services, reply, {
      title: 'My queue',
      session,
      notices: views.map(testModeNotice),
      main: html`<h1>My queue (${views.length})</h1>
${views.length === 0 ? EMPTY : alike(views).map((group) => groupForm(group, services.clock.now(), formTokenField(session.formToken)))}`,
    });
  });
  app.post('/queue', { schema: { hide: true } }, async (request, reply) => {
    const receivedAt = services.clock.now();
    const session = await requireForm(services, request);
    const { item, verdict, reason } = readForm(batchForm, request);
    const results = await decideBatch(services, session.actor, { items: item, verdict, reason, receivedAt });
    for (const result of results) if ('counted' in result && result.counted) metrics.decided.inc({ verdict });
    return sendPage(services, reply, {
      title: 'Answered',
      session,
      main: html`<h1>${verdict === 'approve' ? 'Approved' : 'Denied'}: ${results.filter((one) => 'counted' in one).length} of ${results.length}</h1>
<ul class="rows">${results.map(resultLine)}</ul>
<p><a href="/queue">Back to the queue</a></p>`,
    });
  });
}

const EMPTY = html`<p>Nothing waits for you. What waits for others is under <a href="/actions?state=pending">Actions</a>.</p>`;

/** Same agent, tool, grant and segment, in the order of the oldest of each. */
function alike(views: readonly ActionView[]): ActionView[][] {
  const groups = new Map<string, ActionView[]>();
  for (const view of views) {
    const key = JSON.stringify([view.agent, view.tool, view.grant, view.segment, view.release]);
    groups.set(key, [...(groups.get(key) ?? []), view]);
  }
  return [...groups.values()];
}

function groupForm(group: readonly ActionView[], now: Date, field: Html): Html {
  const [first] = group;
  if (!first) return html``;
  const fromHere = group.slice(0, BATCH_MAX);
  const id = `g-${first.id}`;
  return html`<h2>${first.tool} of ${first.agent}, ${first.segment ?? 'no segment'} (${group.length})</h2>
<form class="panel" method="post" action="/queue">${field}
<table><caption class="meta">Look at each before you choose it${group.length > BATCH_MAX ? `; the first ${BATCH_MAX} of ${group.length}` : ''}</caption>
<thead><tr><th scope="col">Choose</th><th scope="col">What</th><th scope="col">Risk</th><th scope="col">Decide by</th></tr></thead>
<tbody>${fromHere.map(
    (
      view,
    ) => html`<tr><td><input type="checkbox" name="item" id="${view.id}" value="${`${view.id} ${view.revision} ${view.argsDigest}`}"></td>
<th scope="row"><label for="${view.id}">${view.summary}</label> <a href="/actions/${view.id}">open</a></th>
<td>${view.risk}</td><td>${view.expiresAt ? timeWords(view.expiresAt, now) : ''}</td></tr>`,
  )}</tbody></table>
<label for="${id}">Reason (denying tells it to the agent)</label>
<textarea id="${id}" name="reason" rows="2" maxlength="2000"></textarea>
<button class="approve" type="submit" name="verdict" value="approve">Approve the chosen</button>
<button class="deny" type="submit" name="verdict" value="deny">Deny the chosen</button>
</form>`;
}

const resultLine = (result: BatchResult): Html =>
  'counted' in result
    ? html`<li><a href="/actions/${result.id}">${result.action.summary}</a>: ${result.counted ? 'counted' : 'you had already said so'}, now ${result.action.state}</li>`
    : html`<li><a href="/actions/${result.id}">${result.id}</a>: <strong>NOT counted</strong>: ${result.message}</li>`;
