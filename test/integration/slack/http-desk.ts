import Fastify from 'fastify';
import { createCardActivities } from '../../../activities/cards.ts';
import { type ActionRow, actionById } from '../../../src/records/action.ts';
import { createSlackApp, type SlackApp } from '../../../src/slack/app.ts';
import { slackRoute } from '../../../src/slack/http-route.ts';
import { type FakeSlack, startFakeSlack } from '../../fakes/slack/server.ts';
import type { Message } from '../../fakes/slack/world.ts';
import { givenAdopted, givenPendingAction } from '../../support/fixtures.ts';
import { createTestServices, type TestServices } from '../../support/services.ts';
import { CHANNEL, SLACK_AGENT_YAML } from './support.ts';

export const SECRET = 'a-signing-secret-of-slack';
const PEOPLE = ['U0OLGA', 'U0ANA', 'U0BEN', 'U0CLEO'];

/** The desk of `openDesk`, with a fake Slack that sends its payloads by HTTP. */
export interface HttpDesk extends AsyncDisposable {
  slack: FakeSlack;
  app: SlackApp;
  services: TestServices;
  /** Where Slack sends to. */
  url: string;
  /** A pending action with its card posted. */
  givenCard(more?: Parameters<typeof givenPendingAction>[1]): Promise<{ action: ActionRow; card: Message }>;
  row(id: string): Promise<ActionRow>;
}

export async function openHttpDesk(): Promise<HttpDesk> {
  const services = await createTestServices();
  await givenAdopted(services, { agentYaml: SLACK_AGENT_YAML });
  let app: SlackApp | undefined;
  const api = Fastify();
  slackRoute(api, async (request) => {
    if (!app?.httpRequest) throw new Error('the app is not there yet');
    return app.httpRequest(request);
  });
  const url = `${await api.listen({ host: '127.0.0.1', port: 0 })}/slack/events`;
  const slack = await startFakeSlack({
    users: PEOPLE.map((id) => ({ id })),
    channels: [{ id: CHANNEL, name: 'desk', members: PEOPLE }],
    deliver: { url, signingSecret: SECRET },
    now: () => services.clock.now().getTime(),
  });
  app = await createSlackApp(services, {
    botToken: slack.tokens.bot,
    signingSecret: SECRET,
    apiUrl: slack.url,
  });
  const cards = createCardActivities({ services, slack: app.port });
  return {
    slack,
    app,
    services,
    url,
    async givenCard(more) {
      const action = await givenPendingAction(services, more);
      await cards.syncActionCards(action.id);
      return { action, card: await slack.nextMessage(CHANNEL, ({ text }) => text.includes(action.id)) };
    },
    row: (id) => actionById(services.db.sql, id),
    async [Symbol.asyncDispose]() {
      await app.stop();
      await api.close();
      await slack.stop();
      await services.close();
    },
  };
}
