import { type ActionRow, actionById } from '../../actions/store.ts';
import { type ActionView, actionView } from '../../actions/view.ts';
import { readStanding } from '../../approvals/standing.ts';
import type { Actor, Services } from '../../context.ts';
import { mayDeny } from '../../domain/approval.ts';
import { AppError } from '../../errors.ts';
import type { Api, RouteDeps } from '../app.ts';
import { maySeeArgs } from '../auth.ts';
import { requireSession } from './access.ts';
import { type Html, html } from './html.ts';
import { formTokenField, row, sendPage, testModeNotice } from './layout.ts';
import type { Session } from './session.ts';
import { REVERSIBILITY_WORDS, STATE_WORDS, SUPERSEDED_WORDS, timeWords } from './words.ts';

const DONE_WORDS: Readonly<Record<string, string>> = {
  approve: 'Your approval is recorded.',
  deny: 'Your denial is recorded.',
  again: 'You had already said so; nothing changed.',
  correction: 'Your report is recorded.',
  reason: 'Your reason is recorded.',
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
      const forms = await formsFor(services, session, action);
      const done = DONE_WORDS[request.query.done ?? ''];
      return sendPage(services, reply, {
        title: view.summary,
        session,
        notices: noticesOf(view),
        main: html`${done && html`<p class="done" role="status">${done}</p>`}${body(view, services.clock.now(), forms)}`,
      });
    },
  );
}

const noticesOf = ({ testMode, advisory, agent, tool }: ActionView) => [
  testModeNotice({ agent, testMode }),
  advisory ? `Advisory: ${agent} also holds a key of its own for ${tool} and could pass this by` : undefined,
];

function body(view: ActionView, now: Date, forms: Html): Html {
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
${row('Asked of', view.approval?.group)}
</dl>
${view.why !== undefined && html`<h2>Why, in the agent’s own words</h2><blockquote>${view.why}</blockquote>`}
<h2>Arguments</h2>
${argsOf(view)}
${linksOf(view.links)}
${forms}
${historyOf(view, now)}
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

function historyOf({ decisions, execution, correction, expiresAt, state }: ActionView, now: Date): Html {
  const lines = [
    ...decisions.map(
      ({ person, verdict, at, via, reason }) =>
        `${person} said ${verdict} by ${via}, ${timeWords(at, now)}${reason ? `: ${reason}` : ''}`,
    ),
    state === 'approved' && expiresAt ? `Must be begun by ${timeWords(expiresAt, now)}` : undefined,
    execution && `Begun ${timeWords(execution.beganAt, now)} as ${execution.executionId}`,
    execution?.completedAt &&
      `Completed ${timeWords(execution.completedAt, now)}${execution.error ? ` with ${execution.error}` : ''}`,
    correction &&
      `Reported as wrong by ${correction.person}, ${timeWords(correction.at, now)}: ${correction.reason ?? ''}`,
  ].filter((line) => line !== undefined);
  if (lines.length === 0) return html`<h2>What happened</h2><p>Nobody has decided yet.</p>`;
  return html`<h2>What happened</h2><ul>${lines.map((line) => html`<li>${line}</li>`)}</ul>`;
}

/** The forms this person may use now; else why there are none. */
async function formsFor(services: Services, { actor, formToken }: Session, action: ActionRow): Promise<Html> {
  const field = formTokenField(formToken);
  if (action.state === 'pending') {
    const refusal = await refusalOf(services, actor, action);
    if (refusal) return html`<p class="notice" role="note">You cannot decide this: ${refusal}.</p>`;
    return decisionForms(action, field);
  }
  const reports = actor.roles.some((role) => ['approver', 'on-call', 'release-manager'].includes(role));
  const wrong = action.kind === 'write' && (action.state === 'executed' || action.state === 'unknown');
  return wrong && reports && !action.corrected_at ? correctionForm(action, field) : html``;
}

async function refusalOf(services: Services, actor: Actor, action: ActionRow): Promise<string | undefined> {
  if (!actor.roles.includes('approver')) return 'your token has not the role approver';
  if (!actor.person) return 'your token stands for no person';
  const now = services.clock.now();
  if (action.expires_at && now > action.expires_at) return 'its time is over';
  return mayDeny(actor.person, await readStanding(services.db.sql, action, now), action)?.message;
}

const decisionForms = (action: ActionRow, field: Html): Html => {
  const seen = html`${field}<input type="hidden" name="digest" value="${action.args_digest}">
<input type="hidden" name="revision" value="${action.revision}">`;
  return html`<h2>Decide</h2>
<form class="panel" method="post" action="/actions/${action.id}/decisions">
${seen}<input type="hidden" name="verdict" value="approve">
<button class="approve" type="submit">Approve</button>
</form>
<form class="panel" method="post" action="/actions/${action.id}/decisions">
${seen}<input type="hidden" name="verdict" value="deny">
<label for="deny-reason">Why not? The agent reads this</label>
<textarea id="deny-reason" name="reason" rows="2" maxlength="2000" required></textarea>
<button class="deny" type="submit">Deny</button>
</form>`;
};

const correctionForm = (action: ActionRow, field: Html): Html => html`<h2>Report a wrong write</h2>
<form class="panel" method="post" action="/actions/${action.id}/corrections">
${field}<label for="correction">What was wrong?</label>
<textarea id="correction" name="reason" rows="2" maxlength="2000" required></textarea>
<button class="deny" type="submit">Report it as wrong</button>
</form>`;
