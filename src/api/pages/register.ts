import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AppError } from '../../errors.ts';
import type { Services } from '../../services.ts';
import type { Api, RouteDeps } from '../app.ts';
import { addRetryAfter } from '../budgets.ts';
import { protectPage } from '../headers.ts';
import { failureOf, logFailure } from '../problems.ts';
import { actionForms } from './action-forms.ts';
import { actionPage } from './action-page.ts';
import { actionsPage } from './actions-page.ts';
import { businessPage } from './business-page.ts';
import { casesPage } from './cases-page.ts';
import { cycleForms } from './cycle-forms.ts';
import { cyclePages } from './cycle-page.ts';
import { html } from './html.ts';
import { incidentForms } from './incident-forms.ts';
import { incidentsPage } from './incidents-page.ts';
import { sendPage } from './layout.ts';
import { loginPages } from './login.ts';
import { overviewPage } from './overview.ts';
import { queuePage } from './queue-page.ts';
import { reviewsPage } from './reviews-page.ts';
import { rolloutForms } from './rollout-forms.ts';
import { rolloutPage } from './rollout-page.ts';
import { sessionIdOf } from './session.ts';
import { STYLE } from './style.ts';
import { systemPage } from './system-page.ts';

/** The pages: plain HTML, no script. Their failures are pages too. */
export function registerPages(app: Api, deps: RouteDeps): void {
  const { services } = deps;
  app.setErrorHandler((error, request, reply) =>
    sendFailure(services, request, reply, failureOf(error, request)),
  );
  app.addHook('onRequest', async (request, reply) => {
    protectPage(reply, services.publicUrl);
    await countPage(deps, request);
  });
  app.get('/style.css', { schema: { hide: true } }, async (_, reply) =>
    reply.type('text/css; charset=utf-8').header('cache-control', 'public, max-age=300').send(STYLE),
  );
  loginPages(app, deps);
  overviewPage(app, deps);
  actionsPage(app, deps);
  actionPage(app, deps);
  actionForms(app, deps);
  queuePage(app, deps);
  rolloutPage(app, deps);
  rolloutForms(app, deps);
  systemPage(app, deps);
  reviewsPage(app, deps);
  businessPage(app, deps);
  incidentsPage(app, deps);
  casesPage(app, deps);
  cyclePages(app, deps);
  cycleForms(app, deps);
  incidentForms(app, deps);
}

/** Who is signed in is counted by the session alone: whatever else comes from the same address takes nothing of it. */
async function countPage({ services, budgets }: RouteDeps, request: FastifyRequest): Promise<void> {
  const session = await sessionIdOf(services, request);
  if (session !== undefined) return budgets.session(request, session);
  // Signing in has a budget of its own.
  if (request.method !== 'POST' || request.routeOptions.url !== '/login') await budgets.anonymous(request);
}

function sendFailure(
  services: Services,
  request: FastifyRequest,
  reply: FastifyReply,
  error: AppError,
): FastifyReply {
  logFailure(request, error);
  if (error.code === 'unauthenticated' && request.method === 'GET') {
    if (isFirstFromElsewhere(request)) return sendAgain(services, request, reply);
    return reply.redirect(`/login?next=${encodeURIComponent(request.url)}`, 303);
  }
  const posted = request.method === 'POST';
  const signedOut = error.code === 'unauthenticated';
  const back = posted ? backOf(request) : '/';
  addRetryAfter(reply, error);
  return sendPage(services, reply, {
    title: 'Not done',
    status: error.spec.http,
    main: html`<h1>${posted ? 'Your answer was NOT recorded' : 'This cannot be shown'}</h1>
<p class="problem" role="alert">${error.message}</p>
${!signedOut && html`<p>${typeof error.details.hint === 'string' ? error.details.hint : error.spec.hint}.</p>`}
<p>${signedOut ? html`<a href="/login?next=${back}">Sign in</a>` : html`<a href="${back}">Go back</a>`}</p>
<p class="meta">Code ${error.code}, instance ${request.id}</p>`,
  });
}

/** The page that the form was on. */
const backOf = ({ url }: FastifyRequest): string =>
  /^\/(?:actions\/[\w-]+|rollouts\/[\w.-]+|incidents\/[\w.-]+|queue|login)/.exec(url)?.[0] ?? '/';

/** A link in Slack comes from another site, so the browser keeps the strict cookie back; the page's own reload sends it. */
const isFirstFromElsewhere = ({ headers }: FastifyRequest): boolean =>
  headers['sec-fetch-site'] === 'cross-site';

function sendAgain(services: Services, { url }: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.header('refresh', '0');
  return sendPage(services, reply, {
    title: 'One moment',
    main: html`<h1>One moment</h1><p><a href="${url}">Continue</a></p>`,
  });
}

/** For people who typed an address that is not there. */
export const sendNotFound = (services: Services, reply: FastifyReply): FastifyReply =>
  sendPage(services, protectPage(reply, services.publicUrl), {
    title: 'Not found',
    status: 404,
    main: html`<h1>There is no such page</h1><p><a href="/">Overview</a></p>`,
  });
