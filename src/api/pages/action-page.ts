import type { FastifyReply } from 'fastify';
import type { ActionView } from '../../actions/action-view.ts';
import { actionView } from '../../actions/view.ts';
import { noteSeen } from '../../approvals/first-look.ts';
import { receiptsOf } from '../../approvals/receipts/list.ts';
import { isStopped } from '../../domain/action.ts';
import { supersededWords } from '../../domain/words.ts';
import { AppError } from '../../errors.ts';
import { ownAction } from '../../records/action.ts';
import type { Services } from '../../services.ts';
import { type ActionDetail, detailOf } from '../action-detail.ts';
import type { Api, RouteDeps } from '../app.ts';
import { maySeeArgs } from '../auth.ts';
import { requireSession } from './access.ts';
import { changesOf } from './changes-part.ts';
import type { Draft } from './form-facts.ts';
import { formsFor } from './forms-for.ts';
import { type Html, html } from './html.ts';
import { row, sendPage, testModeNotice } from './layout.ts';
import { askedPart, historyOf, queueWords } from './record-part.ts';
import type { Session } from './session.ts';
import { standingApprovalOf } from './standing-part.ts';
import { REACH_WORDS, REVERSIBILITY_WORDS, stateWords, timeWords } from './words.ts';

const DONE_WORDS: Readonly<Record<string, string>> = {
  approve: 'Your approval is recorded.',
  deny: 'Your denial is recorded.',
  again: 'You had already said so; nothing changed.',
  correction: 'Your report is recorded.',
  edit: 'The arguments are changed. Somebody else must approve them.',
  review: 'Your review is recorded.',
  revoke: 'The standing approval is taken back.',
};

interface Query {
  Params: { id: string };
  Querystring: { done?: string };
}

/** Everything that is needed to decide on one action: what it does first, numbers and digests last. */
export function actionPage(app: Api, { services }: RouteDeps): void {
  app.get<Query>('/actions/:id', { schema: { hide: true } }, async (request, reply) => {
    const session = await requireSession(services, request);
    const done = DONE_WORDS[request.query.done ?? ''];
    return sendAction(services, session, reply, request.params.id, { ...(done && { done }) });
  });
  app.get<Query>('/actions/:id/receipt', { schema: { hide: true } }, async (request, reply) => {
    const session = await requireSession(services, request);
    const { id, agent } = await ownAction(services.db.sql, session.actor, request.params.id);
    if (!maySeeArgs(session.actor, agent))
      throw new AppError('forbidden', `${session.actor.id} may not see what was shown of action ${id}`);
    const receipts = await receiptsOf(services.db.sql, id);
    return reply
      .type('application/json; charset=utf-8')
      .header('cache-control', 'no-store')
      .header('content-disposition', `attachment; filename="receipt-${id}.json"`)
      .send(JSON.stringify({ receipts }, null, 2));
  });
}

/** What is said above an action: that something was done, or why it was not, with what was typed. */
export interface Said {
  done?: string;
  problem?: AppError;
  draft?: Draft;
}

/** The page of one action. @throws AppError `not_found` */
export async function sendAction(
  services: Services,
  session: Session,
  reply: FastifyReply,
  id: string,
  { done, problem, draft }: Said,
): Promise<FastifyReply> {
  const action = await ownAction(services.db.sql, session.actor, id);
  const view = await actionView(services, action, { args: maySeeArgs(session.actor, action.agent) });
  await noteSeen(services, session.actor, action);
  const parts = {
    detail: await detailOf(services, action),
    changes: await changesOf(services, action, view),
    forms: await formsFor(services, session, action, view, draft),
    standing: await standingApprovalOf(services, session, action),
  };
  return sendPage(services, reply, {
    title: view.summary,
    session,
    ...(problem && { status: problem.spec.http }),
    notices: noticesOf(view),
    main: html`${done && html`<p class="done" role="status">${done}</p>`}${problem && problemPart(problem)}
${body(view, services.clock.now(), parts)}`,
  });
}

const problemPart = ({ message, details, spec }: AppError): Html => html`<div class="problem" role="alert">
<p><strong>NOT recorded.</strong> ${message}</p>
<p>${typeof details.hint === 'string' ? details.hint : spec.hint}. What you typed is <a href="#mend">below</a>.</p></div>`;

const noticesOf = ({ testMode, advisory, agent, tool }: ActionView) => [
  testModeNotice({ agent, testMode }),
  advisory ? `Advisory: ${agent} also holds a key of its own for ${tool} and could pass this by` : undefined,
];

interface Parts {
  detail: ActionDetail;
  changes: Html | undefined;
  forms: Html;
  standing: Html | undefined;
}

function body(view: ActionView, now: Date, { detail, changes, forms, standing }: Parts): Html {
  const waits = view.state === 'pending';
  return html`<h1>${view.summary}</h1>
<p><span class="state ${view.state}">${stateWords(view)}</span>${because(view)}${remarks(view)}${waits && html` · <a href="#decide">To the answer</a>`}</p>
<dl>
${row('Consequence', view.consequence)}
${row('Decide by', waits && view.expiresAt ? timeWords(view.expiresAt, now) : undefined)}
${row('Begin by', view.state === 'approved' && view.expiresAt ? timeWords(view.expiresAt, now) : undefined)}
${row('Risk', view.risk === 'high' ? html`<strong>high</strong>` : view.risk)}
${row('Can it be undone', view.reversibility && REVERSIBILITY_WORDS[view.reversibility])}
${row('How to undo it', view.undo)}
${row('Agent', `${view.agent} (version ${view.agentVersion})`)}
${row('Tool', `${view.tool} (${view.kind})`)}
${row('Segment', view.segment)}
${row('Phase', view.phase)}
${row('Arm', view.rollout ? `${view.arm} of rollout ${view.rollout}` : undefined)}
${row('Release', view.release)}
${row('Acts for', view.behind.length > 0 ? view.behind.join(', ') : undefined)}
${row('Nobody knows', strangersOf(view))}
${row('Asked by', `${view.askedBy}, ${timeWords(view.askedAt, now)}`)}
${row('Asked of', view.approval && approvalWords(view))}
${row('Denied before', deniedWords(detail, now))}
${row('Queue', queueWords(detail))}
${row('Reached', view.reach && reachWords(view.reach))}
</dl>
${view.why !== undefined && html`<h2>Why, in the agent’s own words</h2><blockquote>${view.why}</blockquote>`}
<h2>Arguments</h2>
${argsOf(view)}
${linksOf(view.links)}
${changes}
${forms}
${askedPart(view, detail, now)}
${historyOf(view, now)}
${standing}
<h2>For the record</h2>
<dl>
${row('Reasons', view.reasons.map(({ message }) => message).join('; '))}
${row('Grant', view.grant)}
${row('Action', html`<code>${view.id}</code>`)}
${row('Digest of the arguments', html`<code>${view.argsDigest}</code>`)}
${row('Revision', view.revision)}
${row('Epoch', view.epoch)}
${row('Receipts', view.decisions.length > 0 && view.args ? receiptLink(view.id) : undefined)}
</dl>`;
}

/** Who is asked again should know who said no, when and why. */
function deniedWords({ deniedBefore }: ActionDetail, now: Date): Html | undefined {
  if (!deniedBefore) return undefined;
  const lines = deniedBefore.map(
    ({ action, person, at, reason, sameSubject }) =>
      html`<a href="/actions/${action}">The same</a> by ${person}, ${timeWords(at, now)}${sameSubject ? '' : ', about another subject, as the agent says'}${reason ? `: ${reason}` : ''}<br>`,
  );
  return html`<strong>${lines}</strong>`;
}

const receiptLink = (
  id: string,
): Html => html`<a href="/actions/${id}/receipt">Signed proof of each decision</a>,
checked by <code>portcullis receipt verify</code>`;

/** "2 of desk, then 1 of legal: stage 1 of 2; 1 of 3 approved so far". */
function approvalWords({ approval, decisions, state }: ActionView): string | undefined {
  if (!approval) return undefined;
  const { group, stages, stage, round, quorum } = approval;
  const given = decisions.filter((one) => one.verdict === 'approve' && one.round === round).length;
  const far = state === 'pending' && quorum > 1 ? `; ${given} of ${quorum} approved so far` : '';
  return `${group}${stages.length > 1 ? `: stage ${stage + 1} of ${stages.length}` : ''}${far}`;
}

/** That all is well need not be said: who was told is listed. */
function reachWords({ state, problem }: NonNullable<ActionView['reach']>): string | undefined {
  if (state === 'delivered' && !problem) return undefined;
  return problem ? `${REACH_WORDS[state]}: ${problem}` : REACH_WORDS[state];
}

/** What must not be overlooked beside the state. */
function remarks({ breakGlass, correction, state }: ActionView): Html {
  const words = [
    breakGlass && 'approved by one person alone',
    correction && (isStopped(state) ? 'reported as right' : 'reported as wrong'),
  ].filter((word) => typeof word === 'string');
  return html`${words.map((word) => html` · <strong class="state denied">${word}</strong>`)}`;
}

function because({ supersededBecause, denyReason }: ActionView): string {
  if (supersededBecause) return `: ${supersededWords(supersededBecause)}`;
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

/** Whom nobody knows may be the very person who reads this. */
const strangersOf = ({ strangers }: ActionView): Html | undefined =>
  strangers.length === 0
    ? undefined
    : html`<strong>${strangers.join(', ')}</strong>: nobody of this agent. Do not approve if it may be you.`;
