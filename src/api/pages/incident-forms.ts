import { z } from 'zod';
import { MECHANISM_NAMES, MECHANISMS, ORIGINS, RESULTS } from '../../domain/incident/mechanisms.ts';
import { ownsIncidents } from '../../incidents/blind.ts';
import { classifyIncident } from '../../incidents/classify.ts';
import { closeIncident } from '../../incidents/close.ts';
import type { IncidentRow } from '../../incidents/list.ts';
import { mergeIncident, unmergeIncident } from '../../incidents/merge.ts';
import type { Services } from '../../services.ts';
import type { Api, RouteDeps } from '../app.ts';
import { reasonSchema, textSchema } from '../schemas.ts';
import { requireForm } from './access.ts';
import { optional, readForm } from './form.ts';
import { type Html, html } from './html.ts';
import { formTokenField } from './layout.ts';
import type { Session } from './session.ts';

const revision = z.coerce.number().int().min(1);
const classifyForm = z.object({
  revision,
  mechanism: z.enum(MECHANISM_NAMES),
  certainty: z.enum(['known', 'suspected']),
  origin: optional(z.enum(ORIGINS)),
  result: optional(z.enum(RESULTS)),
  contributing: z
    .union([z.enum(MECHANISM_NAMES), z.array(z.enum(MECHANISM_NAMES)).max(MECHANISM_NAMES.length)])
    .optional()
    .transform((names) => (typeof names === 'string' ? [names] : names)),
});
const unmergeForm = z.object({ reason: reasonSchema });
const mergeForm = z.object({ into: textSchema(200, 1), reason: reasonSchema });
const closeForm = z.object({ revision, reason: reasonSchema });

interface WithId {
  Params: { id: string };
}

/** What an owner sends from the page of an incident; each is the API's own verb. */
export function incidentForms(app: Api, { services }: RouteDeps): void {
  const schema = { schema: { hide: true } };
  const back = (id: string) => `/incidents/${encodeURIComponent(id)}?done=recorded`;
  app.post<WithId>('/incidents/:id/classify', schema, async (request, reply) => {
    const { actor } = await requireForm(services, request);
    const { id } = request.params;
    await classifyIncident(services, actor, { id, ...readForm(classifyForm, request) });
    return reply.redirect(back(id), 303);
  });
  app.post<WithId>('/incidents/:id/merge', schema, async (request, reply) => {
    const { actor } = await requireForm(services, request);
    const { id } = request.params;
    await mergeIncident(services, actor, { id, ...readForm(mergeForm, request) });
    return reply.redirect(back(id), 303);
  });
  app.post<WithId>('/incidents/:id/unmerge', schema, async (request, reply) => {
    const { actor } = await requireForm(services, request);
    const { id } = request.params;
    await unmergeIncident(services, actor, { id, ...readForm(unmergeForm, request) });
    return reply.redirect(back(id), 303);
  });
  app.post<WithId>('/incidents/:id/close', schema, async (request, reply) => {
    const { actor } = await requireForm(services, request);
    const { id } = request.params;
    await closeIncident(services, actor, { id, ...readForm(closeForm, request) });
    return reply.redirect(back(id), 303);
  });
}

/** The forms for whoever may send them: an owner with a role that decides, while it is not closed and not merged. */
export async function incidentFormsPart(
  services: Services,
  { actor, formToken }: Session,
  one: IncidentRow,
): Promise<Html | undefined> {
  if (one.state === 'closed' || !(await ownsIncidents(services, actor, one))) return undefined;
  const action = `/incidents/${encodeURIComponent(one.id)}`;
  if (one.merged_into !== null)
    return html`<h2>What can be done</h2>
<details><summary>Take the merge back</summary><form class="panel" method="post" action="${action}/unmerge">${formTokenField(formToken)}
<p>It stands for itself again, with everything it had.</p>
<label for="unmerge-reason">Reason, kept in the log</label><textarea id="unmerge-reason" name="reason" rows="2" maxlength="2000" required></textarea>
<button type="submit">Unmerge</button></form></details>`;
  const hidden = html`${formTokenField(formToken)}<input type="hidden" name="revision" value="${one.revision}">`;
  return html`<h2>What can be done</h2>
<details><summary>Classify it</summary><form class="panel" method="post" action="${action}/classify">${hidden}
<p>By the first control that should have stopped it and did not: the first yes.</p>
<label for="mechanism">Mechanism</label><select id="mechanism" name="mechanism" required>
<option value="">choose one</option>${MECHANISMS.map(({ name, test }) => html`<option value="${name}">${name}: ${test}</option>`)}</select>
<label for="certainty">How certain</label><select id="certainty" name="certainty"><option value="known">known</option><option value="suspected">suspected</option></select>
${choice('origin', 'Where it came from', ORIGINS)}
${choice('result', 'What came of it', RESULTS)}
<p>What contributed</p>
<ul class="rows">${MECHANISM_NAMES.map(
    (name) =>
      html`<li class="choice"><input type="checkbox" id="with-${name}" name="contributing" value="${name}"><label for="with-${name}">${name}</label></li>`,
  )}</ul>
<button type="submit">Classify</button></form></details>
<details><summary>Merge it into another</summary><form class="panel" method="post" action="${action}/merge">${formTokenField(formToken)}
<label for="into">Into</label><input id="into" name="into" placeholder="inc-…" maxlength="200" required>
<label for="merge-reason">Reason, kept in the log</label><textarea id="merge-reason" name="reason" rows="2" maxlength="2000" required></textarea>
<button type="submit">Merge</button></form></details>
${
  one.state !== 'open' &&
  html`<details><summary>Close it</summary><form class="panel" method="post" action="${action}/close">${hidden}
<label for="close-reason">Reason, kept in the log</label><textarea id="close-reason" name="reason" rows="2" maxlength="2000" required></textarea>
<button type="submit">Close</button></form></details>`
}`;
}

const choice = (name: string, title: string, words: readonly string[]): Html =>
  html`<label for="${name}">${title}</label><select id="${name}" name="${name}"><option value="">as it is</option>${words.map(
    (word) => html`<option value="${word}">${word.replaceAll('_', ' ')}</option>`,
  )}</select>
`;
