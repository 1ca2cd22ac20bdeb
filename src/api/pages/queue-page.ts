import { z } from 'zod';
import { answerBatch, BATCH_MAX, type BatchResult } from '../../approvals/batch.ts';
import { noteSeen } from '../../approvals/first-look.ts';
import { queueFor } from '../../approvals/queue.ts';
import { answerTogether, type SideBySide } from '../../approvals/side-by-side.ts';
import { groupBy } from '../../domain/group-by.ts';
import { STATE_WORDS } from '../../domain/words.ts';
import type { ActionRow } from '../../records/action.ts';
import type { Services } from '../../services.ts';
import type { Api, RouteDeps } from '../app.ts';
import { reasonSchema } from '../schemas.ts';
import { requireForm, requireSession } from './access.ts';
import { optional, readForm } from './form.ts';
import { type Html, html } from './html.ts';
import { formTokenField, sendPage, testModeNotice } from './layout.ts';
import { groupForm } from './queue-group.ts';
import { reviewsPart, standingsPart } from './queue-rest.ts';
import type { Session } from './session.ts';

/** So many are shown at once, the oldest first: what was shown is remembered of each. */
const SHOWN_MAX = 100;

/** What is chosen carries what was seen: id, revision and digest of the arguments. */
const itemSchema = z
  .string()
  .regex(/^[0-9a-f-]{36} \d{1,9} [0-9a-f]{64}$/)
  .transform((text) => {
    const [id = '', revision = '', digest = ''] = text.split(' ');
    return { id, revision: Number(revision), digest };
  });
const batchForm = z.object({
  verdict: z.enum(['approve', 'deny']),
  reason: optional(reasonSchema),
  item: z.preprocess(
    (items) => (items === undefined ? [] : [items].flat()),
    z.array(itemSchema).min(1, 'choose at least one').max(BATCH_MAX, `choose at most ${BATCH_MAX}`),
  ),
});

/** What this person may answer now, alike beside alike; several are answered at once, each by its own id. */
export function queuePage(app: Api, { services, metrics }: RouteDeps): void {
  app.get('/queue', { schema: { hide: true } }, async (request, reply) => {
    const session = await requireSession(services, request);
    const queue = await queueFor(services, session.actor);
    const groups = await groupsOf(services, session, queue.slice(0, SHOWN_MAX));
    return sendPage(services, reply, {
      title: 'My queue',
      session,
      notices: await noticesOf(services, queue),
      main: html`<h1>My queue (${queue.length})</h1>
${queue.length === 0 && EMPTY}
${queue.length > SHOWN_MAX && html`<p>The ${SHOWN_MAX} that wait longest; the others follow when these are answered.</p>`}
${groups.map((group) => groupForm(group, services.clock.now(), formTokenField(session.formToken)))}
${await reviewsPart(services, session.actor)}
${await standingsPart(services, session.actor)}`,
    });
  });
  app.post('/queue', { schema: { hide: true } }, async (request, reply) => {
    const receivedAt = services.clock.now();
    const session = await requireForm(services, request);
    const { item, verdict, reason } = readForm(batchForm, request);
    const results = await answerBatch(services, session.actor, { items: item, verdict, reason, receivedAt });
    const counted = results.filter((one) => 'counted' in one && one.counted).length;
    if (counted > 0) metrics.decided.inc({ verdict }, counted);
    const recorded = results.filter((one) => 'counted' in one).length;
    return sendPage(services, reply, {
      title: 'Answered',
      session,
      main: html`<h1>${verdict === 'approve' ? 'Approved' : 'Denied'}: ${recorded} of ${results.length}</h1>
<ul class="rows">${results.map(resultLine)}</ul>
<p><a href="/queue">Back to the queue</a></p>`,
    });
  });
}

const EMPTY = html`<p>Nothing waits for you. What waits for others is under <a href="/actions?state=pending">Actions</a>.</p>`;

/** With arguments and what differs from the first of each group; that they were shown is remembered. */
async function groupsOf(
  services: Services,
  { actor }: Session,
  queue: readonly ActionRow[],
): Promise<SideBySide[][]> {
  const groups: SideBySide[][] = [];
  for (const group of alike(queue)) groups.push(await answerTogether(services, actor, group));
  await Promise.all(groups.flat().map(({ action }) => noteSeen(services, actor, action)));
  return groups;
}

async function noticesOf({ db }: Services, queue: readonly ActionRow[]): Promise<(string | undefined)[]> {
  if (queue.length === 0) return [];
  const names = [...new Set(queue.map(({ agent }) => agent))];
  const agents = await db.sql.selectFrom('agent').select('manifest').where('name', 'in', names).execute();
  return agents.map(({ manifest }) => testModeNotice(manifest));
}

/** Same agent, tool, grant, segment and release, in the order of the oldest of each. */
const alike = (queue: readonly ActionRow[]): ActionRow[][] => [
  ...groupBy(queue, ({ agent, tool, grant_name, segment, release }) =>
    JSON.stringify([agent, tool, grant_name, segment, release]),
  ).values(),
];

const resultLine = (result: BatchResult): Html =>
  'counted' in result
    ? html`<li><a href="/actions/${result.id}">${result.action.summary}</a>
<div class="meta">${result.counted ? 'Counted' : 'You had already said so'}. ${STATE_WORDS[result.action.state]}</div></li>`
    : html`<li><a href="/actions/${result.id}">${result.id}</a>
<div><strong class="state denied">NOT counted</strong>: ${result.message}</div></li>`;
