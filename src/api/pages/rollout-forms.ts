import { z } from 'zod';
import type { RolloutStatusView } from '../../rollouts/status.ts';
import { ROLLOUT_VERBS, type RolloutVerb } from '../../rollouts/verb.ts';
import { runRolloutVerb } from '../../rollouts/verbs.ts';
import type { Api, RouteDeps } from '../app.ts';
import { reasonSchema, textSchema } from '../schemas.ts';
import { requireForm } from './access.ts';
import { optional, readForm } from './form.ts';
import { type Html, html } from './html.ts';
import { formTokenField } from './layout.ts';

const verbForm = z.object({
  reason: reasonSchema,
  segment: optional(textSchema(100, 1)),
  step: optional(z.coerce.number().int().min(1)),
  fromStep: optional(z.coerce.number().int().min(1)),
  checklist: z
    .union([textSchema(500).transform((check) => [check]), z.array(textSchema(500)).max(50)])
    .optional(),
});

interface WithVerb {
  Params: { id: string; verb: string };
}

/** What people send from the page of a rollout. Every verb is the API's own. */
export function rolloutForms(app: Api, { services }: RouteDeps): void {
  app.post<WithVerb>('/rollouts/:id/:verb', { schema: { hide: true } }, async (request, reply) => {
    const { actor } = await requireForm(services, request);
    const { id } = request.params;
    const verb = z.enum(ROLLOUT_VERBS).safeParse(request.params.verb);
    if (!verb.success) return reply.callNotFound();
    const input = readForm(verbForm, request);
    const { changed } = await runRolloutVerb(services, actor, { id, verb: verb.data, ...input });
    return reply.redirect(`/rollouts/${encodeURIComponent(id)}?done=${changed ? verb.data : NOTHING}`, 303);
  });
}

const NOTHING = 'nothing';

/** What was done, as the page says it when it comes back; only words of ours. */
export function doneText(done: string | undefined): string | undefined {
  if (done === NOTHING) return 'Nothing changed: it was so already.';
  const verb = ROLLOUT_VERBS.find((known) => known === done);
  return verb && `Recorded: ${ABOUT[verb]}.`;
}

const ABOUT: Readonly<Record<RolloutVerb, string>> = {
  'approve-gate': 'Approve that it leaves its step',
  'reject-gate': 'Refuse that it leaves its step, and pause it',
  advance: 'End the time of the step',
  pause: 'Pause: exposure stays, step time stands still',
  resume: 'Let it go on',
  rollback: 'Take the release back',
  reenter: 'Expose a rolled-back segment again',
  exclude: 'Leave a rolled-back segment out for good',
  ease: 'Let a segment ask and be exposed as the step says again',
  'accept-arms': 'Accept the arms of a segment as they are, now that the cause is known',
};

/** The verbs that whoever looks may use, and that the state of the rollout takes. */
export function verbForms(rollout: RolloutStatusView, may: readonly RolloutVerb[], formToken: string): Html {
  const open = may.filter((verb) => takes(rollout, verb));
  return html`${open.map(
    (verb) => html`<details><summary>${ABOUT[verb]}</summary>
<form class="panel" method="post" action="/rollouts/${encodeURIComponent(rollout.id)}/${verb}">
${formTokenField(formToken)}
${stepField(rollout, verb)}
${segmentField(rollout, verb)}
${fromStepField(rollout, verb)}
${checkFields(rollout, verb)}
<label for="${verb}-reason">Reason, kept in the log</label>
<textarea id="${verb}-reason" name="reason" rows="2" required maxlength="2000"></textarea>
<button type="submit">${ABOUT[verb]}</button>
</form></details>`,
  )}`;
}

function takes(rollout: RolloutStatusView, verb: RolloutVerb): boolean {
  const { status, waitsFor } = rollout;
  const waits = (what: (typeof waitsFor)[number]['for']): boolean =>
    waitsFor.some((wait) => wait.for === what);
  const onlyPeople = waitsFor.every((wait) => wait.for === 'person' || wait.for === 'checklist');
  switch (verb) {
    case 'approve-gate':
    case 'reject-gate':
      return waits('person') && onlyPeople;
    case 'advance':
      return waits('time');
    case 'pause':
      return status === 'running';
    case 'resume':
      return status === 'paused' || waits('agent-version');
    case 'rollback':
      return true;
    case 'reenter':
    case 'exclude':
    case 'ease':
    case 'accept-arms':
      return segmentsFor(rollout, verb).length > 0;
  }
}

/** The gate that is answered is the one that was seen. */
const stepField = ({ step }: RolloutStatusView, verb: RolloutVerb): Html | undefined =>
  verb === 'approve-gate' || verb === 'reject-gate' || verb === 'advance'
    ? html`<input type="hidden" name="step" value="${step}">`
    : undefined;

/** Those that a verb is about. */
function segmentsFor({ segments, waitsFor, arms }: RolloutStatusView, verb: RolloutVerb): string[] {
  const inState = (wanted: string) =>
    segments.filter(({ state }) => state === wanted).map(({ segment }) => segment);
  switch (verb) {
    case 'rollback':
      return inState('exposed');
    case 'reenter':
    case 'exclude':
      return inState('rolled_back');
    case 'ease':
      return segments
        .map(({ segment }) => segment)
        .filter((segment) => waitsFor.some((wait) => wait.for === 'ease' && wait.segment === segment));
    case 'accept-arms':
      return arms.flatMap(({ segment, mismatchedAt }) => (mismatchedAt === null ? [] : [segment]));
    default:
      return [];
  }
}

function segmentField(rollout: RolloutStatusView, verb: RolloutVerb): Html | undefined {
  const names = segmentsFor(rollout, verb);
  if (names.length === 0) return undefined;
  return html`<label for="${verb}-segment">Segment</label>
<select id="${verb}-segment" name="segment">
${verb === 'rollback' && html`<option value="">${rollout.endedAt === null ? 'all, which ends the rollout' : 'all'}</option>`}
${names.map((name) => html`<option value="${name}">${name}</option>`)}
</select>`;
}

/** Only where there is an earlier step in which a segment that was taken back was exposed. */
function fromStepField({ planned, segments }: RolloutStatusView, verb: RolloutVerb): Html | undefined {
  if (verb !== 'reenter') return undefined;
  const steps = planned.flatMap(({ step, phase, exposure }) => {
    const names = segments.flatMap(({ segment, reenterFrom }) =>
      reenterFrom?.includes(step) ? [segment] : [],
    );
    return names.length === 0
      ? []
      : [{ step, words: `${names.join(', ')}: step ${step}, ${phase}, ${exposure}` }];
  });
  if (steps.length === 0) return undefined;
  return html`<label for="reenter-from">From an earlier step, which the rollout then goes on from</label>
<select id="reenter-from" name="fromStep">
<option value="">as the present step says</option>
${steps.map(({ step, words }) => html`<option value="${step}">${words}</option>`)}
</select>`;
}

function checkFields({ waitsFor }: RolloutStatusView, verb: RolloutVerb): Html | undefined {
  if (verb !== 'approve-gate' && verb !== 'advance') return undefined;
  const checks = waitsFor.flatMap((wait) => wait.checks ?? []);
  if (checks.length === 0) return undefined;
  return html`<fieldset><legend>Checked</legend><ul class="rows">${checks.map(
    (check, at) =>
      html`<li class="choice"><input type="checkbox" id="${verb}-check-${at}" name="checklist" value="${check}"><label for="${verb}-check-${at}">${check}</label></li>`,
  )}</ul></fieldset>`;
}
