import { actionById } from '../../actions/store.ts';
import { type ActionView, actionView } from '../../actions/view.ts';
import { noteSeen } from '../../approvals/seen.ts';
import { AppError } from '../../errors.ts';
import type { Api, RouteDeps } from '../app.ts';
import { maySeeArgs } from '../auth.ts';
import { requireSession } from './access.ts';
import { formsFor } from './forms-for.ts';
import { type Html, html } from './html.ts';
import { row, sendPage, testModeNotice } from './layout.ts';
import { historyOf, recordOf, standingOf } from './record-part.ts';
import { REACH_WORDS, REVERSIBILITY_WORDS, STATE_WORDS, SUPERSEDED_WORDS, timeWords } from './words.ts';

const DONE_WORDS: Readonly<Record<string, string>> = {
  approve: 'Your approval is recorded.',
  deny: 'Your denial is recorded.',
  again: 'You had already said so; nothing changed.',
  correction: 'Your report is recorded.',
  reason: 'Your reason is recorded.',
  edit: 'The arguments are changed. Somebody else must approve them.',
  review: 'Your review is recorded.',
  revoke: 'The standing approval is taken back.',
};

/** Everything that is needed to decide on one action: what it does first, numbers and digests last. */
export function actionPage(app: Api, { services }: RouteDeps): void {
  app.get<{ Params: { id: string }; Querystring: { done?: string } }>(
    '/actions/:id',
    { schema: { hide: true } },
    async (request, reply) => {
      const session = await requireSession(services, request);
      const action = await actionById(services.db.sql, request.params.id);
      if (session.actor.agent !== undefined && session.actor.agent !== action.agent) {
        throw new AppError('not_found', `There is no action "${action.id}"`);
      }
      const view = await actionView(services, action, { args: maySeeArgs(session.actor, action.agent) });
      await noteSeen(services, session.actor, action);
      const forms = await formsFor(services, session, action, view.args);
      const more = [await recordOf(services, action), await standingOf(services, session, action)];
      const done = DONE_WORDS[request.query.done ?? ''];
      return sendPage(services, reply, {
        title: view.summary,
        session,
        notices: noticesOf(view),
        main: html`${done && html`<p class="done" role="status">${done}</p>`}${body(view, services.clock.now(), forms, more)}`,
      });
    },
  );
}

const noticesOf = ({ testMode, advisory, agent, tool }: ActionView) => [
  testModeNotice({ agent, testMode }),
  advisory ? `Advisory: ${agent} also holds a key of its own for ${tool} and could pass this by` : undefined,
];

function body(view: ActionView, now: Date, forms: Html, more: readonly (Html | undefined)[]): Html {
  return html`<h1>${view.summary}</h1>
<p><span class="state">${STATE_WORDS[view.state]}</span>${because(view)}</p>
<dl>
${row('Consequence', view.consequence)}
${row('Decide by', view.state === 'pending' && view.expiresAt ? timeWords(view.expiresAt, now) : undefined)}
${row('Agent', `${view.agent} (version ${view.agentVersion})`)}
${row('Tool', `${view.tool} (${view.kind})`)}
${row('Segment', view.segment)}
${row('Phase', view.phase)}
${row('Arm', view.rollout ? `${view.arm} of rollout ${view.rollout}` : undefined)}
${row('Release', view.release)}
${row('Risk', view.risk)}
${row('Can it be undone', view.reversibility && REVERSIBILITY_WORDS[view.reversibility])}
${row('How to undo it', view.undo)}
${row('Acts for', view.behind.length > 0 ? view.behind.join(', ') : undefined)}
${row('Asked by', `${view.askedBy}, ${timeWords(view.askedAt, now)}`)}
${row('Asked of', view.approval && askedOf(view.approval))}
${row('Reached', view.reach && reachWords(view.reach))}
</dl>
${view.why !== undefined && html`<h2>Why, in the agent’s own words</h2><blockquote>${view.why}</blockquote>`}
<h2>Arguments</h2>
${argsOf(view)}
${linksOf(view.links)}
${forms}
${historyOf(view, now)}
${more}
<h2>For the record</h2>
<dl>
${row('Reasons', view.reasons.map(({ message }) => message).join('; '))}
${row('Grant', view.grant)}
${row('Action', html`<code>${view.id}</code>`)}
${row('Digest of the arguments', html`<code>${view.argsDigest}</code>`)}
${row('Revision', view.revision)}
${row('Epoch', view.epoch)}
</dl>`;
}

const askedOf = ({ group, stages, stage }: NonNullable<ActionView['approval']>): string =>
  stages.length > 1 ? `${group} (stage ${stage + 1} of ${stages.length})` : group;

const reachWords = ({ state, people, problem }: NonNullable<ActionView['reach']>): string =>
  `${REACH_WORDS[state]}${people.length > 0 ? `: ${people.join(', ')}` : ''}${problem ? `. ${problem}` : ''}`;

function because({ supersededBecause, denyReason }: ActionView): string {
  if (supersededBecause) return `: ${SUPERSEDED_WORDS[supersededBecause] ?? supersededBecause}`;
  return denyReason ? `: ${denyReason}` : '';
}

function argsOf({ args }: ActionView): Html {
  if (args === undefined) return html`<p class="meta">Erased, or not for you to see.</p>`;
  return html`<pre>${JSON.stringify(args, null, 2)}</pre>`;
}

function linksOf(links: readonly string[]): Html | undefined {
  if (links.length === 0) return undefined;
  return html`<h2>Links from the agent</h2>
<ul>${links.map((link) =>
    /^https?:\/\//i.test(link)
      ? html`<li><a href="${link}" rel="noopener noreferrer nofollow">${link}</a></li>`
      : html`<li>${link}</li>`,
  )}</ul>`;
}
