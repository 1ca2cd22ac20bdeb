import type { Actor } from '../../actor.ts';
import { listUnreviewed } from '../../approvals/review.ts';
import { listStandingApprovals } from '../../approvals/standing/store.ts';
import type { Services } from '../../services.ts';
import { mayReview } from './form-facts.ts';
import { type Html, html } from './html.ts';
import { standingWords } from './standing-part.ts';
import { timeWords } from './words.ts';

const STANDINGS_MAX = 100;

/** Approvals given alone that this person may say something on. */
export async function reviewsPart(services: Services, actor: Actor): Promise<Html | undefined> {
  const unreviewed = await listUnreviewed(services.db.sql, actor.agent ? { agent: actor.agent } : {});
  const may = await Promise.all(unreviewed.map(({ action }) => mayReview(services, actor, action)));
  const mine = unreviewed.filter((_, at) => may[at]);
  if (mine.length === 0) return undefined;
  const now = services.clock.now();
  return html`<h2>Approved alone, to be reviewed (${mine.length})</h2>
<ul class="rows">${mine.map(
    ({ action, person, at, via, reason }) => html`<li><a href="/actions/${action.id}">${action.summary}</a>
<div class="meta">${person} by ${via}, ${timeWords(at.toISOString(), now)}: ${reason}</div></li>`,
  )}</ul>`;
}

/** What people approved for a while and still counts; taken back on the page of its action. */
export async function standingsPart(services: Services, actor: Actor): Promise<Html | undefined> {
  const now = services.clock.now();
  const rows = await listStandingApprovals(services.db.sql, {
    ...(actor.agent ? { agent: actor.agent } : {}),
    live: true,
    limit: STANDINGS_MAX,
  });
  const live = rows.filter(({ expires_at }) => expires_at > now);
  if (live.length === 0) return undefined;
  return html`<h2>Approved for a while (${live.length})</h2>
<ul class="rows">${live.map(
    (row) => html`<li>${row.tool} of ${row.agent}, segment ${row.segment}
<div class="meta">${standingWords(row, now)} · <a href="/actions/${row.action_id}">open or take back</a></div>
<code>${row.envelope}</code></li>`,
  )}</ul>`;
}
