import type { App } from '@slack/bolt';
import { whyText } from '../../cards/alert-card.ts';
import { readAlertFacts } from '../../cards/alert-facts.ts';
import { BUTTON, VALUE } from '../../cards/blocks/buttons.ts';
import { inline } from '../../cards/blocks/mrkdwn.ts';
import { runRolloutVerb } from '../../rollouts/verbs.ts';
import { disable } from '../../switches/disable.ts';
import { actorFor } from '../identity.ts';
import { noticeView } from '../modals.ts';
import { disableText } from '../replies.ts';
import { actorOfScope, disableElsewhere, steerElsewhere } from './commands.ts';
import { type ButtonClick, copyOf, type ListenerDeps, personOf, tell, tellThread } from './deps.ts';
import { openForm } from './forms.ts';

const ROLLBACK = new RegExp(`^${BUTTON.alertRollback.replaceAll('.', '\\.')}\\.\\d+$`);

/** The buttons of an alert. */
export function register(app: App, deps: ListenerDeps): void {
  const { services, directory } = deps;
  app.action<ButtonClick>(ROLLBACK, async ({ ack, body, action, respond }) => {
    await ack();
    const { alert, rollout, agent, segment } = VALUE.rollback.parse(action.value);
    const actor = await actorFor(
      services,
      directory,
      personOf(body),
      agent,
      steerElsewhere(services, 'rollback', agent),
    );
    const reason = `Slack alert ${alert}`;
    const { changed, detail } = await runRolloutVerb(services, actor, {
      id: rollout,
      verb: 'rollback',
      segment,
      reason,
    });
    if (changed)
      await tellThread(
        deps,
        copyOf(body),
        `*Rolled back* by ${inline(actor.id, 80)}: ${inline(detail, 1_000)}`,
      );
    else await tell(respond, `Nothing changed: ${inline(detail, 1_000)}`);
  });
  app.action<ButtonClick>(BUTTON.alertDisable, async ({ ack, body, action }) => {
    await ack();
    const { alert, scope } = VALUE.disable.parse(action.value);
    const actor = await actorOfScope(
      services,
      directory,
      personOf(body),
      scope,
      disableElsewhere(services, scope),
    );
    const answer = await disable(services, actor, { scope, reason: `Slack alert ${alert}` });
    await tellThread(deps, copyOf(body), `${disableText(answer)}\nBy ${inline(actor.id, 80)}.`);
  });
  app.action<ButtonClick>(BUTTON.alertWhy, async ({ ack, body, action }) => {
    await ack();
    const { alert } = VALUE.why.parse(action.value);
    await openForm(deps, body.trigger_id, 'Why', async () =>
      noticeView('Why', whyText(await readAlertFacts(services, alert))),
    );
  });
}
