import { setTimeout as sleep } from 'node:timers/promises';
import type { Portcullis } from '../src/server.ts';
import type { FakeSlack } from '../test/fakes/slack/server.ts';
import { writtenLog } from '../test/support/log.ts';
import type { Floor } from './floor/floor.ts';
import type { Governed } from './governed.ts';
import { ms, ratio, type Spread, spreadOf } from './measure.ts';

const CARDS = 30;
/** Code and plans are warm after these. */
const WARM_UP = 10;
/** Nobody taps sooner after the card came; the service is done with posting it by then. */
const LOOK_MS = 250;
/** Slack takes one post a second in a channel. */
const POST_GAP_MS = 1_100;
const PENDING = 500;
const ANSWERERS = 20;

const say = (line: string) => console.log(line);

/** (d) Ask to card; (e) click to decided, which Slack is told by the ack, and to the card saying so. */
export async function benchClicks(governed: Governed, slack: FakeSlack, { services }: Portcullis) {
  const [posted, decided, updated]: [number[], number[], number[]] = [[], [], []];
  for (let round = -WARM_UP; round < CARDS; round++) {
    const askedAt = performance.now();
    const id = await governed.ask();
    const card = await slack.nextMessage(
      '#approvals',
      (message) => JSON.stringify(message).includes(id),
      10_000,
    );
    const postedAt = performance.now();
    await sleep(LOOK_MS);
    const clickedAt = performance.now();
    await slack.click(card, 'Approve', 'U0ANA').ack();
    const decidedAt = performance.now();
    await slack.nextUpdate(card, (message) => JSON.stringify(message).includes('Approved by'));
    const updatedAt = performance.now();
    if (round >= 0) {
      posted.push(postedAt - askedAt);
      decided.push(decidedAt - clickedAt);
      updated.push(updatedAt - clickedAt);
    }
    await sleep(Math.max(0, POST_GAP_MS - (performance.now() - clickedAt)));
  }
  await assertAll(services, 'approved', WARM_UP + CARDS);
  line('(d) ask to card posted', spreadOf(posted));
  line('(e) click to decided (committed)', spreadOf(decided), 'aim: p50 at most 10 ms');
  line('    click to card updated', spreadOf(updated), 'aim: p50 at most 500 ms');
}

/** (f) Many waiting, answered by twenty at once: how fast beside the bare engine, and that each counts once. */
export async function benchBacklog(governed: Governed, floor: Floor, { services }: Portcullis) {
  const before = await countDecisions(services);
  const waiting: string[] = [];
  for (let n = 0; n < PENDING / ANSWERERS; n++)
    waiting.push(...(await Promise.all(Array.from({ length: ANSWERERS }, () => governed.askQuietly()))));
  const open = [...waiting];
  const ours = await byAnswerers(async () => {
    const id = open.pop();
    if (id === undefined) return false;
    // Each twice, as an impatient person does: it counts once.
    await Promise.all([governed.approve(id), governed.approve(id)]);
    return true;
  });
  const starts = await Promise.all(Array.from({ length: PENDING }, () => floor.start()));
  const bare = await byAnswerers(async () => {
    const one = starts.pop();
    await one?.answer();
    return one !== undefined;
  });
  const { decisions, twice } = await countDecisions(services);
  const counted = decisions - before.decisions;
  say(
    `(f) ${PENDING} pending, ${ANSWERERS} answer at once         ${perSecond(ours)}/s   floor ${perSecond(bare)}/s   ${ratio(bare, ours)} the floor's throughput`,
  );
  say(`    counted ${counted} of ${PENDING}   lost ${PENDING - counted}   twice ${twice}`);
  if (counted !== PENDING || twice > 0) throw new Error('decisions were lost or counted twice');
}

const perSecond = (totalMs: number): string => ((PENDING / totalMs) * 1_000).toFixed(0);

/** Twenty who each take the next one; how long all of it took. */
async function byAnswerers(next: () => Promise<boolean>): Promise<number> {
  const startedAt = performance.now();
  const answerer = async () => {
    while (await next()) {}
  };
  await Promise.all(Array.from({ length: ANSWERERS }, answerer));
  return performance.now() - startedAt;
}

async function countDecisions({ db }: Portcullis['services']): Promise<{ decisions: number; twice: number }> {
  const rows = await db.sql.selectFrom('decision').select(['action_id', 'person']).execute();
  const approved = await writtenLog(db.sql).select('ref').where('kind', '=', 'action.approved').execute();
  return { decisions: rows.length, twice: approved.length - new Set(approved.map(({ ref }) => ref)).size };
}

async function assertAll({ db }: Portcullis['services'], state: 'approved', count: number): Promise<void> {
  const rows = await db.sql.selectFrom('action').select('id').where('state', '=', state).execute();
  if (rows.length !== count) throw new Error(`${rows.length} of ${count} are ${state}`);
}

function line(what: string, { p50, p99 }: Spread, aim = ''): void {
  say(`${what.padEnd(41)} p50 ${ms(p50)}   p99 ${ms(p99)}   ${aim}`.trimEnd());
}
