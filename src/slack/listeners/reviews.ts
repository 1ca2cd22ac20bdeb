import type { App } from '@slack/bolt';
import { BUTTON, VALUE } from '../../cards/blocks/buttons.ts';
import { AppError } from '../../errors.ts';
import { storedReview } from '../../reviews/make.ts';
import { functionsOf } from '../../reviews/readers.ts';
import { answerReview } from '../../reviews/weekly.ts';
import { actorFor } from '../identity.ts';
import { type ButtonClick, type ListenerDeps, personOf, tell } from './deps.ts';

/** The button of a weekly page: whoever presses it has read it, for each function that a manifest names them for. */
export function register(app: App, deps: ListenerDeps): void {
  const { services, directory } = deps;
  app.action<ButtonClick>(BUTTON.reviewRead, async ({ ack, body, action, respond }) => {
    await ack();
    const { week } = VALUE.review.parse(action.value);
    const stored = await storedReview(services.db.sql, week);
    let refused: unknown;
    for (const agent of stored?.snapshot.agents ?? []) {
      try {
        const actor = await actorFor(services, directory, personOf(body), agent);
        const functions = actor.person ? await functionsOf(services.db.sql, actor.person) : [];
        if (functions.length === 0) continue;
        for (const name of functions)
          await answerReview(services, { ...actor, agent: undefined }, { week, function: name });
        await tell(respond, `Recorded: you have read ${week} for ${functions.join(' and ')}.`);
        return;
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        refused ??= error;
      }
    }
    if (refused) throw refused;
    await tell(
      respond,
      'Not recorded: no manifest names you under "reviews" for product, engineering, policy or operations.',
    );
  });
}
