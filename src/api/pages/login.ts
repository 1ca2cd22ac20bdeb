import { AppError } from '../../errors.ts';
import type { Services } from '../../services.ts';
import type { Api, RouteDeps } from '../app.ts';
import type { Budgets } from '../budgets.ts';
import type { SignInLinks } from '../sign-in-links.ts';
import { type Html, html } from './html.ts';
import { sendPage } from './layout.ts';
import { closeSession, openSession, requireFormToken, requireSameOrigin, sessionOf } from './session.ts';

const schema = { hide: true } as const;

type Form = Readonly<Record<string, unknown>> | null | undefined;

/** A field that is sent twice is none. */
const tokenOf = (form: Form): string => (typeof form?.token === 'string' ? form.token.trim() : '');

/** Signing in with a pasted token, and out. */
export function loginPages(app: Api, { services, budgets, options }: RouteDeps): void {
  app.get<{ Querystring: { next?: string } }>('/login', { schema }, async (request, reply) =>
    sendPage(services, reply, { title: 'Sign in', main: loginForm(localPath(request.query.next)) }),
  );
  app.post<{ Body: Form }>('/login', { schema }, async (request, reply) => {
    requireSameOrigin(services, request);
    await budgets.signIns(request, 'peek');
    const next = localPath(request.body?.next);
    try {
      await openSession(services, reply, tokenOf(request.body));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      await budgets.signIns(request);
      const main = loginForm(next, error.code === 'unauthenticated' ? WRONG_TOKEN : error.message);
      return sendPage(services, reply, { title: 'Sign in', status: error.spec.http, main });
    }
    return reply.redirect(next, 303);
  });
  if (options.signIn) signInLink(app, services, options.signIn, budgets);
  logout(app, services);
}

/** HEAD must not use it up: programs that look at links send it. */
function signInLink(app: Api, services: Services, links: SignInLinks, budgets: Budgets): void {
  app.get<{ Params: { code: string } }>(
    '/sign-in/:code',
    { schema, exposeHeadRoute: false },
    async (request, reply) => {
      await budgets.signIns(request, 'peek');
      const token = links.take(request.params.code);
      if (token === undefined) {
        await budgets.signIns(request);
        const main = loginForm('/', 'This link was used, or is over. Sign in with a token.');
        return sendPage(services, reply, { title: 'Sign in', status: 401, main });
      }
      await openSession(services, reply, { tokenId: token });
      return reply.header('cache-control', 'no-store').redirect('/', 303);
    },
  );
}

const WRONG_TOKEN = 'That token is unknown, expired or revoked.';

function logout(app: Api, services: Services): void {
  app.post<{ Body: Form }>('/logout', { schema }, async (request, reply) => {
    requireSameOrigin(services, request);
    const session = await sessionOf(services, request);
    if (session) requireFormToken(session, request.body?.form);
    await closeSession(services, request, reply);
    return reply.redirect('/login', 303);
  });
}

/** Only a path of this service: a link must not lead people from the sign-in to another site. */
export function localPath(next: unknown): string {
  return typeof next === 'string' && /^\/(?![/\\])[\w\-./?=&%:]*$/.test(next) ? next : '/';
}

const loginForm = (next: string, problem?: string): Html => html`<h1>Sign in</h1>
${problem && html`<p class="problem" role="alert">${problem}</p>`}
<form class="panel" method="post" action="/login">
<input type="hidden" name="next" value="${next}">
<label for="token">Your token</label>
<input id="token" name="token" type="password" required autocomplete="current-password" spellcheck="false">
<button type="submit">Sign in</button>
</form>
<p class="meta">An admin makes one: <code>portcullis token create --role approver --person ana</code></p>`;
