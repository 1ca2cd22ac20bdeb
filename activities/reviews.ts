import { SlackFailure } from '../src/cards/posting/failure.ts';
import type { SlackPort } from '../src/cards/posting/port.ts';
import { postAtOnce } from '../src/cards/posting/post-once.ts';
import { isForGood } from '../src/cards/posting/turns.ts';
import { reviewCard } from '../src/cards/review-card.ts';
import { pageOf } from '../src/domain/review/page.ts';
import { onlyOf } from '../src/domain/review/weekly.ts';
import type { Copy } from '../src/records/copy.ts';
import { channelsOf } from '../src/reviews/channels.ts';
import { latestReview, makeWeeklyReview, type StoredReview } from '../src/reviews/make.ts';
import { chartPicture } from '../src/reviews/picture.ts';
import { picturePosted, pictureWasPosted } from '../src/reviews/posted.ts';
import type { Services } from '../src/services.ts';
import { asActivityFailure } from './failures.ts';

interface ReviewDeps {
  services: Services;
  slack?: SlackPort;
}

/** What the workflow of the weekly review does: any number of times the same. */
export const createReviewActivities = ({ services, slack }: ReviewDeps) => ({
  /** The page of the last week that is over. @returns the weeks and versions that were made now */
  async makeReviews(): Promise<string[]> {
    try {
      return (await makeWeeklyReview(services)).map(({ week, version }) => `${week} version ${version}`);
    } catch (error) {
      throw asActivityFailure(error);
    }
  },
  /** The newest page into each channel of the agents, and its charts below it. */
  async postReviews(): Promise<void> {
    const latest = await latestReview(services.db.sql);
    if (!slack || !latest) return;
    for (const [channel, agents] of await channelsOf(services.db.sql)) {
      try {
        await postPage({ services, slack }, latest, channel, agents);
      } catch (error) {
        // A channel that is gone keeps no other from its page.
        if (!(error instanceof SlackFailure) || !isForGood(error.code)) throw asActivityFailure(error);
        services.log.warn({ channel, code: error.code }, 'the weekly review could not be posted');
      }
    }
  },
});
export type ReviewActivities = ReturnType<typeof createReviewActivities>;

async function postPage(
  { services, slack }: ReviewDeps & { slack: SlackPort },
  { week, version, snapshot }: StoredReview,
  channel: string,
  agents: readonly string[],
): Promise<void> {
  const page = pageOf(onlyOf(snapshot, agents));
  const copy = await postAtOnce(services, slack, {
    ref: `review/${week}/${version}`,
    channel,
    message: async () => ({ message: reviewCard(page, services.publicUrl, agents), version }),
  });
  if (copy) await postPicture({ services, slack }, { week, version, channel }, copy, page);
}

/** The charts, into the thread of the page. Slack may not let the app upload: the page has them all the same. */
async function postPicture(
  { services, slack }: ReviewDeps & { slack: SlackPort },
  place: { week: string; version: number; channel: string },
  copy: Copy,
  { charts, title }: ReturnType<typeof pageOf>,
): Promise<void> {
  if (await pictureWasPosted(services.db.sql, place)) return;
  const picture = await chartPicture(charts);
  if (!picture) return;
  try {
    const altText = charts
      .map(({ metric, segment, verdict }) => `${metric} in ${segment}: ${verdict}`)
      .join('; ');
    const fileId = await slack.upload(copy, { name: `${place.week}.png`, title, altText, bytes: picture });
    await picturePosted(services.db.sql, place, fileId, services.clock.now());
  } catch (error) {
    if (!(error instanceof SlackFailure)) throw error;
    services.log.warn(
      { code: error.code, week: place.week },
      'the charts of the weekly review were not uploaded',
    );
  }
}
