import { z } from 'zod';
import { segmentNames } from '../../domain/agent.ts';
import { MECHANISM_NAMES } from '../../domain/incident/mechanisms.ts';
import {
  CONFIDENCES,
  DECISIONS,
  doneBy,
  REVIEW_WORDS_MAX,
  writtenReviewSchema,
} from '../../domain/review/cycle.ts';
import { manifestOf } from '../../records/manifest.ts';
import type { CycleRow } from '../../reviews/cycle-list.ts';
import { secondCycleReview, writeCycleReview } from '../../reviews/write.ts';
import type { Services } from '../../services.ts';
import type { Api, RouteDeps } from '../app.ts';
import { reasonSchema } from '../schemas.ts';
import { requireForm } from './access.ts';
import { optional, readForm } from './form.ts';
import { type Html, html } from './html.ts';
import { formTokenField } from './layout.ts';
import type { Session } from './session.ts';

const { cause, next, prediction } = writtenReviewSchema.shape;
const number = z.coerce.number();
const reviewForm = z.object({
  mechanism: cause.shape.mechanism,
  confidence: cause.shape.confidence,
  text: cause.shape.text,
  refutedBy: cause.shape.refutedBy,
  sentence: next.shape.sentence,
  owner: next.shape.owner,
  by: next.shape.by,
  metric: prediction.shape.metric,
  segment: prediction.shape.segment,
  from: number,
  to: number,
  measuredBy: prediction.shape.by,
  decision: optional(z.enum(DECISIONS)),
});
const secondForm = z.object({ reason: reasonSchema });

interface WithId {
  Params: { id: string };
}

/** What people send from the page of a review; each is the API's own verb. */
export function cycleForms(app: Api, { services }: RouteDeps): void {
  const schema = { schema: { hide: true } };
  const back = (id: string) => `/cycle-reviews/${encodeURIComponent(id)}?done=recorded`;
  app.post<WithId>('/cycle-reviews/:id/write', schema, async (request, reply) => {
    const { actor } = await requireForm(services, request);
    const { id } = request.params;
    const said = readForm(reviewForm, request);
    await writeCycleReview(services, actor, id, {
      cause: {
        mechanism: said.mechanism,
        confidence: said.confidence,
        text: said.text,
        refutedBy: said.refutedBy,
      },
      next: { sentence: said.sentence, owner: said.owner, by: said.by },
      prediction: {
        metric: said.metric,
        segment: said.segment,
        from: said.from,
        to: said.to,
        by: said.measuredBy,
      },
      ...(said.decision !== undefined && { decision: said.decision }),
    });
    return reply.redirect(back(id), 303);
  });
  app.post<WithId>('/cycle-reviews/:id/second', schema, async (request, reply) => {
    const { actor } = await requireForm(services, request);
    const { id } = request.params;
    await secondCycleReview(services, actor, id, readForm(secondForm, request).reason);
    return reply.redirect(back(id), 303);
  });
}

/** The form for whoever may send it: an owner writes, and another person stands for what is against the criteria. */
export async function cycleFormsPart(
  services: Services,
  { actor, formToken }: Session,
  one: CycleRow,
): Promise<Html | undefined> {
  const { person } = actor;
  if (!person || !actor.roles.some((role) => role === 'approver' || role === 'release-manager'))
    return undefined;
  const manifest = await manifestOf(services.db.sql, one.agent);
  const isOwner = manifest.owners.includes(person);
  const action = `/cycle-reviews/${encodeURIComponent(one.id)}`;
  if (
    one.state === 'awaiting_second' &&
    person !== one.written_by &&
    (isOwner || manifest.onCall?.includes(person))
  )
    return html`<h2>Stand for the decision</h2>
<form class="panel" method="post" action="${action}/second">${formTokenField(formToken)}
<p>The frozen criteria recommend another one. You stand for it beside who wrote it.</p>
<label for="reason">Reason, kept in the log</label><textarea id="reason" name="reason" rows="2" maxlength="2000" required></textarea>
<button type="submit">Stand for it</button></form>`;
  if (one.state !== 'due' || !isOwner) return undefined;
  const choice = (name: string, words: readonly string[]) =>
    html`<select id="${name}" name="${name}" required>${words.map((word) => html`<option value="${word}">${word.replaceAll('_', ' ')}</option>`)}</select>`;
  return html`<h2>Write the review</h2>
<form class="panel" method="post" action="${action}/write">${formTokenField(formToken)}
<p>Once, and at most ${REVIEW_WORDS_MAX} words in all. Deciding against what the criteria recommend takes a second person.</p>
<label for="mechanism">Likely cause</label>${choice('mechanism', ['none', ...MECHANISM_NAMES])}
<label for="confidence">How sure you are</label>${choice('confidence', CONFIDENCES)}
<label for="text">What likely caused what was seen</label><textarea id="text" name="text" rows="3" required></textarea>
<label for="refutedBy">What would show that this is wrong</label><textarea id="refutedBy" name="refutedBy" rows="2" required></textarea>
<label for="sentence">What is done next: begin with the verb</label><textarea id="sentence" name="sentence" rows="2" required></textarea>
<label for="owner">By whom</label>${choice('owner', Object.keys(manifest.people))}
<label for="by">Until which day</label><input id="by" name="by" type="date" required>
<label for="metric">Prediction: the metric</label>${choice('metric', Object.keys(manifest.metrics))}
<label for="segment">In the segment</label>${choice('segment', segmentNames(manifest))}
<label for="from">What it is now</label><input id="from" name="from" type="number" step="any" required>
<label for="to">What it will be</label><input id="to" name="to" type="number" step="any" required>
<label for="measuredBy">Until which day</label><input id="measuredBy" name="measuredBy" type="date" required>
<label for="decision">Decision</label><select id="decision" name="decision"><option value="">as it was done: ${doneBy(one.ending).replace('_', ' ')}</option>${DECISIONS.map((word) => html`<option value="${word}">${word.replace('_', ' ')}</option>`)}</select>
<button type="submit">Write it</button></form>`;
}
