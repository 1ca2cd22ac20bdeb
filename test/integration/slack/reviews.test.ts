import { expect, test } from 'vitest';
import { createReviewActivities } from '../../../activities/reviews.ts';
import { ManualClock } from '../../../src/clock.ts';
import { weeklyReview } from '../../../src/reviews/weekly.ts';
import { visibleText } from '../../fakes/slack/visible.ts';
import { actorOf } from '../../support/fixtures.ts';
import { ALERTS, openDesk } from './support.ts';

test('the page of a week is posted once, and whoever it names reads it by its button', async () => {
  await using desk = await openDesk({ clock: new ManualClock() });
  const { services, slack, app } = desk;
  const reviews = createReviewActivities({ services, slack: app.port });
  expect(await reviews.makeReviews()).toEqual([expect.stringMatching(/^\d{4}-W\d{2} version 1$/)]);
  await reviews.postReviews();
  await reviews.postReviews();
  const posted = slack.messages(ALERTS).filter(({ text }) => text.startsWith('Week '));
  expect(posted).toHaveLength(1);
  const card = await slack.nextMessage(ALERTS, ({ text }) => text.startsWith('Week '));
  const week = /\d{4}-W\d{2}/.exec(card.text)?.[0] ?? '';
  // Guard: functionsOf in the listener: no function is ana's.
  await slack.click(card, 'I have read it', 'U0ANA').ack();
  await slack.nextEphemeral('U0ANA', ({ text }) => text.includes('no manifest names you'));
  await slack.click(card, 'I have read it', 'U0CLEO').ack();
  await slack.nextEphemeral('U0CLEO', ({ text }) => text.includes('for operations'));
  expect((await weeklyReview(services, actorOf('auditor'), week)).answers).toMatchObject([
    { function: 'operations', person: 'cleo' },
  ]);
  const comment = async (user: string, reason: string) => {
    await slack.click(card, 'Comment', user).ack();
    const view = await slack.nextView(user, (shown) => visibleText(shown).includes(`week ${week}`));
    return slack.submit(view.id, { reason }, user);
  };
  expect((await comment('U0ANA', 'I am nobody here')).errors.reason).toContain('no manifest names you');
  expect(await comment('U0CLEO', 'Nights are <b>too</b> thin')).toMatchObject({ outcome: 'closed' });
  const told = await slack.nextMessage(ALERTS, ({ threadTs }) => threadTs === card.ts);
  expect(visibleText(told)).toContain('Comment* of cleo for operations: Nights are <b>too</b> thin');
  expect((await weeklyReview(services, actorOf('auditor'), week)).answers).toMatchObject([
    { function: 'operations', person: 'cleo', comment: null },
    { function: 'operations', person: 'cleo', comment: 'Nights are <b>too</b> thin' },
  ]);
  // The charts go into its thread in three steps, and nowhere where the app is not.
  const picture = { name: 'w.png', title: 'w', altText: 'a chart', bytes: Buffer.from([137, 80, 255]) };
  const id = await app.port.upload({ channel: ALERTS, ts: card.ts }, picture);
  expect(slack.files.get(id)).toMatchObject({ channel: ALERTS, threadTs: card.ts, bytes: picture.bytes });
  slack.world.addChannel({ id: 'C0ELSE', name: 'else', botIsMember: false });
  await expect(app.port.upload({ channel: 'C0ELSE', ts: '1.1' }, picture)).rejects.toMatchObject({
    code: 'not_in_channel',
  });
});
