import { createCardActivities } from '../../../activities/cards.ts';
import type { ManualClock } from '../../../src/clock.ts';
import { type ActionRow, actionById } from '../../../src/records/action.ts';
import { createSlackApp, type SlackApp } from '../../../src/slack/app.ts';
import { type FakeSlack, startFakeSlack } from '../../fakes/slack/server.ts';
import { AGENT_YAML, givenAdopted, givenPendingAction } from '../../support/fixtures.ts';
import { createTestServices, type TestServices } from '../../support/services.ts';

export const TEAM = 'T0FAKE';
export const CHANNEL = 'C0DESK';
export const ALERTS = 'C0ALERT';

/** The desk of the fixtures with Slack users: olga owns it, ana and ben approve, cleo is on call, mia is nobody. */
export const SLACK_AGENT_YAML = AGENT_YAML.replace(
  /^people: .*$/m,
  `people:
  olga: { name: Olga, slack: U0OLGA/${TEAM} }
  ana: { name: Ana, slack: U0ANA/${TEAM} }
  ben: { name: Ben, slack: U0BEN/${TEAM} }
  cleo: { name: Cleo, slack: U0CLEO/${TEAM} }
slack: { channel: ${CHANNEL}, alerts: ${ALERTS} }`,
);

const USERS = ['U0OLGA', 'U0ANA', 'U0BEN', 'U0CLEO', 'U0MIA', 'U0EVE'];

/** A desk whose people are in a fake Slack, with Bolt connected to it and a store of its own. */
export interface Desk extends AsyncDisposable {
  slack: FakeSlack;
  app: SlackApp;
  services: TestServices;
  cards: ReturnType<typeof createCardActivities>;
  /** A pending action with its card posted. */
  givenCard(
    more?: Parameters<typeof givenPendingAction>[1],
  ): Promise<{ action: ActionRow; card: Awaited<ReturnType<FakeSlack['nextMessage']>> }>;
  row(id: string): Promise<ActionRow>;
}

export interface DeskOptions {
  agentYaml?: string;
  releaseYaml?: string;
  clock?: ManualClock;
}

export async function openDesk({
  clock,
  agentYaml = SLACK_AGENT_YAML,
  releaseYaml,
}: DeskOptions = {}): Promise<Desk> {
  const services = await createTestServices({ clock });
  await givenAdopted(services, { agentYaml, ...(releaseYaml ? { releaseYaml } : {}) });
  const slack = await startFakeSlack({
    users: USERS.map((id) => ({ id, ...(id === 'U0EVE' ? { teamId: 'T0OTHER' } : {}) })),
    channels: [
      { id: CHANNEL, name: 'desk', members: USERS },
      { id: ALERTS, name: 'desk-alerts', members: USERS },
    ],
  });
  const app = await createSlackApp(services, {
    botToken: slack.tokens.bot,
    appToken: slack.tokens.app,
    apiUrl: slack.url,
  });
  await app.start();
  await slack.connected();
  const cards = createCardActivities({ services, slack: app.port });
  return {
    slack,
    app,
    services,
    cards,
    async givenCard(more) {
      const action = await givenPendingAction(services, more);
      await cards.syncActionCards(action.id);
      return { action, card: await slack.nextMessage(CHANNEL, ({ text }) => text.includes(action.id)) };
    },
    row: (id) => actionById(services.db.sql, id),
    async [Symbol.asyncDispose]() {
      await app.stop();
      await slack.stop();
      await services.close();
    },
  };
}
