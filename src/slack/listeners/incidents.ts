import type { App, ViewSubmitAction } from '@slack/bolt';
import { z } from 'zod';
import { BUTTON, VALUE } from '../../cards/blocks/buttons.ts';
import { inline } from '../../cards/blocks/mrkdwn.ts';
import type { Finding } from '../../domain/incident/findings.ts';
import { isClassifiedTwice } from '../../domain/incident/fingerprint.ts';
import { MECHANISM_NAMES, ORIGINS, RESULTS } from '../../domain/incident/mechanisms.ts';
import { classifyIncident } from '../../incidents/classify.ts';
import { incidentById, requireUnmerged } from '../../incidents/find.ts';
import { actorFor } from '../identity.ts';
import { classifyView } from '../modals/classify.ts';
import { INPUT, MODAL } from '../modals.ts';
import { type ButtonClick, copyIn, copyOf, type ListenerDeps, personOf, tellThread } from './deps.ts';
import { answerForm, FormProblem, inputOf, openForm, type Submission, textOf } from './forms.ts';

const TITLE = 'Classify an incident';
const ENTRIES_MAX = 50;

/** The button of an alert about an incident, and the modal that it opens. */
export function register(app: App, deps: ListenerDeps): void {
  const { services, directory } = deps;
  app.action<ButtonClick>(BUTTON.incidentClassify, async ({ ack, body, action }) => {
    await ack();
    const { incident, agent } = VALUE.incident.parse(action.value);
    await openForm(deps, body.trigger_id, TITLE, async () => {
      const actor = await actorFor(services, directory, personOf(body), agent);
      const row = await incidentById(services.db.sql, actor, incident);
      requireUnmerged(row, 'classify');
      const place = copyOf(body) ?? { channel: '', ts: '' };
      const findings = (row.findings ?? []) as readonly Finding[];
      return classifyView(
        { incident, agent, revision: row.revision, ...place },
        { title: row.title, findings },
      );
    });
  });
  app.view<ViewSubmitAction>(MODAL.classify, ({ ack, body }) => classify(deps, { ack, body }));
}

async function classify(deps: ListenerDeps, submission: Submission): Promise<void> {
  const { services, directory } = deps;
  const { body } = submission;
  const work = async () => {
    const meta = VALUE.incidentMeta.parse(body.view.private_metadata);
    const said = saidIn(body);
    const actor = await actorFor(services, directory, personOf(body), meta.agent);
    await classifyIncident(services, actor, { id: meta.incident, revision: meta.revision, ...said });
    // Whoever labels it next must not know what was said.
    const what = isClassifiedTwice(meta.incident)
      ? 'it is one of those that two people classify, and the second does not see what the first said'
      : `${said.mechanism}, ${said.certainty}`;
    return { meta, text: `*Classified* by ${inline(actor.id, 80)}: ${what}` };
  };
  const done = await answerForm(deps, submission, TITLE, work, () => undefined, INPUT.mechanism);
  if (done) await tellThread(deps, copyIn(done.meta), done.text);
}

const chosen = z.object({
  mechanism: z.enum(MECHANISM_NAMES),
  certainty: z.enum(['known', 'suspected']),
  origin: z.enum(ORIGINS).optional(),
  result: z.enum(RESULTS).optional(),
  contributing: z.array(z.enum(MECHANISM_NAMES)),
});

function saidIn(body: ViewSubmitAction) {
  const one = (id: string) => inputOf(body, id)?.selected_option?.value;
  const several = inputOf(body, INPUT.contributing)?.selected_options ?? [];
  return {
    ...chosen.parse({
      mechanism: one(INPUT.mechanism),
      certainty: one(INPUT.certainty),
      origin: one(INPUT.origin),
      result: one(INPUT.result),
      contributing: several.map(({ value }) => value),
    }),
    evidence: entriesIn(textOf(body, INPUT.entries)),
  };
}

/** @throws FormProblem for anything but numbers of entries */
function entriesIn(text: string | undefined): number[] {
  const words = text?.split(/[\s,;]+/).filter(Boolean) ?? [];
  if (words.length > ENTRIES_MAX || !words.every((word) => /^[1-9]\d{0,14}$/.test(word)))
    throw new FormProblem({
      [INPUT.entries]: `Numbers of entries of the log, at most ${ENTRIES_MAX}, such as 1042, 1057`,
    });
  return words.map(Number);
}
