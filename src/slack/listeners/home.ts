import type { App } from '@slack/bolt';
import { z } from 'zod';
import { revokeStandingApproval } from '../../approvals/standing/end.ts';
import { BUTTON, VALUE } from '../../cards/blocks/buttons.ts';
import { HomeTabs } from '../home-tabs.ts';
import { actorFor, actorsFor } from '../identity.ts';
import { disableView } from '../modals.ts';
import { scopeChoices, scopeKey } from '../scopes.ts';
import { disableElsewhere } from './commands.ts';
import { type ButtonClick, type ListenerDeps, personOf } from './deps.ts';
import { openForm } from './forms.ts';

/** As much of a payload as tells that a person pressed or submitted something, and whether it stands in a Home tab. */
const pressedSchema = z.object({
  type: z.enum(['block_actions', 'view_submission']),
  user: z.object({ id: z.string(), team_id: z.string().optional() }),
  team: z.object({ id: z.string() }).nullish(),
  view: z.object({ type: z.string() }).optional(),
});

/** The Home tab: shown when it is opened, and again after whatever the person did meanwhile. */
export function register(app: App, deps: ListenerDeps): void {
  const tabs = new HomeTabs(deps);
  app.event('app_home_opened', async ({ event, body }) => {
    if (event.tab === 'home') tabs.opened({ userId: event.user, teamId: body.team_id }, event.channel);
  });
  app.use(async ({ body, next }) => {
    try {
      await next();
    } finally {
      const pressed = pressedSchema.safeParse(body);
      if (pressed.success) tabs.acted(personOf(pressed.data), pressed.data.view?.type === 'home');
    }
  });
  app.action<ButtonClick>(BUTTON.homeRevoke, async ({ ack, body, action }) => {
    await ack();
    const { standing, agent } = VALUE.standing.parse(action.value);
    const stop = {
      page: deps.services.publicUrl,
      cli: `portcullis approvals standing revoke ${standing} --reason "..."`,
    };
    const actor = await actorFor(deps.services, deps.directory, personOf(body), agent, stop);
    await revokeStandingApproval(deps.services, actor, {
      id: standing,
      reason: 'Taken back in the App Home',
    });
  });
  app.action<ButtonClick>(BUTTON.homeDisable, async ({ ack, body }) => {
    await ack();
    await openForm(deps, body.trigger_id, 'Emergency disable', async () => {
      const stop = disableElsewhere(deps.services, 'everything');
      const known = await actorsFor(deps.services, deps.directory, personOf(body), stop);
      const choices = scopeChoices(known.map(({ agent }) => agent));
      return disableView({ channel: '', keyOf: scopeKey, choices });
    });
  });
}
