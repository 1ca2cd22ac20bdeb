import { type CardFacts, readCardFacts } from '../cards/card-facts.ts';
import { cardToShow } from '../cards/copies.ts';
import { digestOf } from '../cards/digest-copies.ts';
import { SlackFailure } from '../cards/posting/failure.ts';
import type { SlackPort } from '../cards/posting/port.ts';
import { type Posting, postOnce } from '../cards/posting/post-once.ts';
import { isForGood } from '../cards/posting/turns.ts';
import { tellSaturation } from '../cards/saturation.ts';
import { slackUserOf } from '../domain/agent.ts';
import { isRoutedTo, type Way } from '../domain/approval/reach.ts';
import type { Services } from '../services.ts';
import type { Outcome } from './delivery.ts';
import { isDigested, nextDigestAt } from './digest.ts';
import { looksInSlack } from './presence.ts';
import type { Reachable } from './reachable.ts';
import { openedAt, type Told } from './told.ts';

export interface FollowDeps {
  services: Pick<Services, 'db' | 'clock' | 'publicUrl' | 'dayMs' | 'log'>;
  /** Without it nothing is posted; decisions come by web page and CLI. */
  slack?: SlackPort | undefined;
}

type SlackDeps = Required<FollowDeps> & { slack: SlackPort };

const RETRY_MS = 30_000;
/** A digest that is later than this is not waited for. */
const DIGEST_LATE_MS = 120_000;
const DIGEST_REREAD_MS = 10_000;

/** Brings the card to those who can be told now, in the way its release names. What is there is not posted again. */
export async function deliver(
  { services, slack }: FollowDeps,
  reachable: Reachable,
  before: readonly Told[],
): Promise<Outcome> {
  const { action, agent } = reachable;
  if (!looksInSlack(slack, agent)) return { told: toldBy(reachable, 'page') };
  if (isDigested(action, agent)) return byDigest({ services, slack }, reachable, before);
  const notify = action.approval?.notify ?? 'channel';
  const channel = notify === 'dm' ? undefined : agent.slack.channel;
  const inChannel =
    channel === undefined ? undefined : await postCard({ services, slack }, action.id, channel);
  const isBroken = inChannel?.state === 'waiting' && isForGood(inChannel.problem ?? 'not_reached');
  const everybody = notify === 'dm' || notify === 'both' || channel === undefined || isBroken;
  const direct = await Promise.all(
    reachable.reachable
      .filter((one) => everybody || isRoutedTo(one, action))
      .flatMap(({ person }) => {
        const user = slackUserOf(agent, person);
        return user === undefined ? [] : [postDirect({ services, slack }, action.id, person, user)];
      }),
  );
  if (channel !== undefined && !isBroken) await tellOfTurns({ services, slack }, channel);
  return summary(reachable, before, inChannel, channel, direct);
}

interface Direct {
  person: string;
  posting: Posting;
}

/** Posts the card in one channel, unless it is answered by then. */
export const postCard = (
  { services, slack }: SlackDeps,
  id: string,
  channel: string,
  wanted: (facts: CardFacts) => boolean = ({ action }) => action.state === 'pending',
): Promise<Posting> =>
  postOnce(services, slack, {
    ref: id,
    channel,
    async message() {
      const facts = await readCardFacts(services, id);
      if (!wanted(facts)) return undefined;
      const { reach } = facts.action;
      // What says "not told yet" is not true any more once it stands there.
      const isStale = reach?.state === 'queued' || reach?.state === 'undelivered';
      const shown = isStale ? { ...facts, action: { ...facts.action, reach: null } } : facts;
      return { message: await cardToShow(services, shown), version: facts.action.card_version };
    },
  });

async function postDirect(deps: SlackDeps, id: string, person: string, user: string): Promise<Direct> {
  try {
    return { person, posting: await postCard(deps, id, await deps.slack.dm(user)) };
  } catch (error) {
    if (!(error instanceof SlackFailure)) throw error;
    const waitMs = error.retryAfterMs ?? RETRY_MS;
    const at = new Date(deps.services.clock.now().getTime() + waitMs);
    return { person, posting: { state: 'waiting', at, problem: error.code } };
  }
}

/** That cards are slow in a channel is told by whoever posts there. */
async function tellOfTurns({ services, slack }: SlackDeps, channel: string): Promise<void> {
  try {
    await tellSaturation(services, slack, channel);
  } catch (error) {
    if (!(error instanceof SlackFailure)) throw error;
    services.log.debug({ slack: error.code, channel }, 'people are not told that cards are slow');
  }
}

async function byDigest(
  { services }: SlackDeps,
  reachable: Reachable,
  before: readonly Told[],
): Promise<Outcome> {
  const { action } = reachable;
  const now = services.clock.now();
  const digest = await digestOf(services.db.sql, action.id);
  if (digest && digest.listed_at >= openedAt(action))
    return { told: { ...toldBefore(reachable, before, 'digest'), ...toldBy(reachable, 'digest') } };
  const { postAt } = action.reach ?? {};
  const due = postAt === undefined ? nextDigestAt(now) : new Date(postAt);
  const lateMs = now.getTime() - due.getTime();
  const next = lateMs < 0 ? due : new Date(now.getTime() + DIGEST_REREAD_MS);
  const text = `the digest of ${due.toISOString()} did not go out`;
  const problem = lateMs > DIGEST_LATE_MS ? { text, forGood: true } : undefined;
  return { told: {}, due, next: problem ? now : next, digest: true, problem };
}

/** Puts together who was told, what is still to come, and what Slack refuses. */
function summary(
  reachable: Reachable,
  before: readonly Told[],
  inChannel: Posting | undefined,
  channel: string | undefined,
  direct: readonly Direct[],
): Outcome {
  const told: Record<string, Way[]> = {};
  const add = (people: Record<string, Way[]>) => {
    for (const [person, ways] of Object.entries(people))
      told[person] = [...new Set([...(told[person] ?? []), ...ways])];
  };
  if (inChannel?.state === 'posted') {
    add(toldBefore(reachable, before, 'channel'));
    add(toldBy(reachable, 'channel'));
  }
  add(toldBefore(reachable, before, 'dm'));
  for (const { person, posting } of direct) if (posting.state === 'posted') add({ [person]: ['dm'] });
  const waiting = [
    ...(inChannel?.state === 'waiting' ? [{ ...inChannel, where: channel ?? '' }] : []),
    ...direct.flatMap(({ person, posting }) =>
      posting.state === 'waiting' ? [{ ...posting, where: person }] : [],
    ),
  ];
  const refused = waiting.filter(({ problem }) => problem !== undefined);
  const isTold = Object.keys(told).length > 0;
  // What people must mend is not waited for while somebody knows.
  const due = waiting.filter(({ problem }) => !isTold || !problem || !isForGood(problem));
  const next = due.length > 0 ? Math.min(...due.map(({ at }) => at.getTime())) : undefined;
  const nobody = channel === undefined && direct.length === 0 && reachable.now !== 'nobody';
  const text = nobody
    ? `no channel, and no Slack account of ${reachable.reachable.map(({ person }) => person).join(', ')}`
    : refused.map(({ problem, where }) => `Slack answered ${problem} for ${where}`).join('; ');
  const isAllRefused = refused.length === waiting.length && text !== '';
  const forGood = nobody || refused.every(({ problem }) => isForGood(problem ?? ''));
  return {
    told,
    ...(next === undefined ? {} : { due: new Date(next), next: new Date(next) }),
    ...(isAllRefused ? { problem: { text, forGood } } : {}),
  };
}

const toldBy = ({ reachable }: Reachable, way: Way): Record<string, Way[]> =>
  Object.fromEntries(reachable.map(({ person }) => [person, [way]]));

/** Those who were told in this way while they could be reached, and may still answer. */
function toldBefore(
  { candidates, action }: Reachable,
  before: readonly Told[],
  way: Way,
): Record<string, Way[]> {
  const inThisWay = before.filter(({ ways }) => ways.includes(way)).map(({ person }) => person);
  const last = inThisWay.filter((person) => action.reach?.people.includes(person));
  const still = candidates.filter(({ person, presence }) => presence !== 'inactive' && last.includes(person));
  return Object.fromEntries(still.map(({ person }) => [person, [way]]));
}
