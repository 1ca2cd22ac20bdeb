import { z } from 'zod';
import { MECHANISM_NAMES, MECHANISMS } from '../../domain/incident/mechanisms.ts';
import { AppError } from '../../errors.ts';
import { classifyIncident } from '../../incidents/classify.ts';
import { closeIncident } from '../../incidents/close.ts';
import type { IncidentRow } from '../../incidents/list.ts';
import { mergeIncident } from '../../incidents/merge.ts';
import { requireOwner } from '../../records/owner.ts';
import type { Services } from '../../services.ts';
import type { Api, RouteDeps } from '../app.ts';
import { reasonSchema, textSchema } from '../schemas.ts';
import { requireForm } from './access.ts';
import { readForm } from './form.ts';
import { type Html, html } from './html.ts';
import { formTokenField } from './layout.ts';
import type { Session } from './session.ts';

const revision = z.coerce.number().int().min(1);
const classifyForm = z.object({
  revision,
  mechanism: z.enum(MECHANISM_NAMES),
  certainty: z.enum(['known', 'suspected']),
});
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
  if (one.state === 'closed' || one.merged_into !== null) return undefined;
  if (!actor.roles.some((role) => role === 'approver' || role === 'release-manager')) return undefined;
  if (!(await isOwner(services, actor, one))) return undefined;
  const action = `/incidents/${encodeURIComponent(one.id)}`;
  const hidden = html`${formTokenField(formToken)}<input type="hidden" name="revision" value="${one.revision}">`;
  return html`<h2>What can be done</h2>
<details><summary>Classify it</summary><form class="panel" method="post" action="${action}/classify">${hidden}
<p>By the first control that should have stopped it and did not: the first yes.</p>
<label for="mechanism">Mechanism</label><select id="mechanism" name="mechanism" required>
<option value="">choose one</option>${MECHANISMS.map(({ name, test }) => html`<option value="${name}">${name}: ${test}</option>`)}</select>
<label for="certainty">How certain</label><select id="certainty" name="certainty"><option value="known">known</option><option value="suspected">suspected</option></select>
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

async function isOwner(services: Services, actor: Session['actor'], one: IncidentRow): Promise<boolean> {
  try {
    await requireOwner(services, actor, one, 'classify an incident');
    return true;
  } catch (error) {
    if (error instanceof AppError && error.code === 'forbidden') return false;
    throw error;
  }
}
