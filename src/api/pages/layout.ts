import type { FastifyReply } from 'fastify';
import type { Services } from '../../services.ts';
import { Html, html } from './html.ts';
import type { Session } from './session.ts';
import { dayNotice } from './words.ts';

export interface Page {
  title: string;
  main: Html;
  session?: Session;
  status?: number;
  /** More lines that the page must not hide, such as test mode. */
  notices?: readonly (string | undefined)[];
}

/** A whole page; never cached, because it shows what may change. */
export function sendPage(services: Services, reply: FastifyReply, page: Page): FastifyReply {
  return reply
    .code(page.status ?? 200)
    .type('text/html; charset=utf-8')
    .header('cache-control', 'no-store')
    .send(layout(services, page).text);
}

function layout(services: Services, { title, main, session, notices = [] }: Page): Html {
  const shown = [...new Set([dayNotice(services.dayMs), ...notices])].filter(
    (notice) => notice !== undefined,
  );
  return html`${new Html('<!doctype html>')}
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Portcullis</title>
<link rel="stylesheet" href="/style.css">
<link rel="icon" href="data:,">
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header>
<strong>Portcullis</strong>
${session && signedIn(session)}
</header>
<main id="main">
${shown.map((notice) => html`<p class="notice" role="note">${notice}</p>`)}
${main}
</main>
<footer>Times are UTC. What is decided here is in the log.</footer>
</body>
</html>
`;
}

const signedIn = ({ actor, formToken }: Session): Html => html`<a href="/">Overview</a>
<a href="/queue">My queue</a>
<a href="/reviews">Weekly reviews</a>
<a href="/actions">Actions</a>
<a href="/incidents">Incidents</a>
<a href="/cases">Cases</a>
<a href="/system">System</a>
<span class="meta">${actor.id}</span>
<form method="post" action="/logout">${formTokenField(formToken)}<button class="quiet" type="submit">Sign out</button></form>`;

/** What ties a form to its session. */
export const formTokenField = (formToken: string): Html =>
  html`<input type="hidden" name="form" value="${formToken}">`;

/** A term and what it is; left out when there is nothing to say. */
export const row = (term: string, value: Html | string | number | undefined): Html | undefined =>
  value === undefined || value === '' ? undefined : html`<dt>${term}</dt><dd>${value}</dd>`;

export const testModeNotice = ({
  agent,
  testMode,
}: {
  agent: string;
  testMode: boolean;
}): string | undefined =>
  testMode ? `TEST MODE: owners of ${agent} may approve. Never for production` : undefined;
