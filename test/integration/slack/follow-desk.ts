import { createDigestActivities } from '../../../activities/digests.ts';
import { createFollowActivities, type Followed } from '../../../activities/follow.ts';
import { createSlackClient, createSlackPort } from '../../../src/cards/posting/port.ts';
import { ManualClock } from '../../../src/clock.ts';
import type { ActionRow } from '../../../src/records/action.ts';
import type { Message } from '../../fakes/slack/world.ts';
import { AGENT_YAML, givenPendingAction } from '../../support/fixtures.ts';
import { writtenLog } from '../../support/log.ts';
import { ALERTS, CHANNEL, type Desk, openDesk, TEAM } from './support.ts';

/** A Monday morning, ten o'clock in UTC. */
export const MONDAY = new Date('2026-03-02T10:00:00Z');
const OFFICE = 'days: [mon, tue, wed, thu, fri], from: "08:00", to: "18:00", timezone: UTC';

/** The desk in office hours with mia for the others, the same people at whatever hours, and cleo as the last resort. */
const AGENT = AGENT_YAML.replace(
  /^people: .*$/m,
  `people:
  olga: { name: Olga, slack: U0OLGA/${TEAM} }
  ana: { name: Ana, slack: U0ANA/${TEAM} }
  ben: { name: Ben, slack: U0BEN/${TEAM} }
  cleo: { name: Cleo, slack: U0CLEO/${TEAM} }
  mia: { name: Mia, slack: U0MIA/${TEAM} }
  pat: { name: Pat }
slack: { channel: ${CHANNEL}, alerts: ${ALERTS} }`,
).replace(
  /^approvers: .*$/m,
  `approvers:
  desk: { people: [ana, ben], hours: { ${OFFICE} }, outOfHours: night }
  day: { people: [ana, ben], hours: { ${OFFICE} } }
  anytime: [ana, ben]
  page: [ana, pat]
  night: [mia]
  leads: [cleo]`,
);

/** A write whose risk is low, medium or high, and whom it asks. */
export interface GivenTool {
  approval: string;
  risk?: 'low' | 'medium' | 'high';
}

/** A desk whose actions are followed as the worker does, on a clock that stands. */
export interface FollowDesk extends Omit<Desk, 'cards'> {
  /** A question of one of the tools; `U0...` are deactivated from now on, and everybody else is active. */
  given(tool: string, gone?: readonly string[]): Promise<ActionRow>;
  /** One pass of what the workflow does, or several at the same moment. */
  follow(id: string, times?: number): Promise<Followed>;
  /** Passes at their moments, as the workflows live through them, for so many milliseconds. */
  live(ids: readonly string[], forMs: number): Promise<void>;
  digest(): Promise<{ final: boolean; waitMs: number }>;
  /** Another worker takes over: it knows what is in the store, and nothing else. */
  restart(): void;
  alerts(id: string): Promise<string[]>;
  entries(id: string, kind: string): Promise<Record<string, unknown>[]>;
  cards(id: string): Message[];
  /** What a person got directly about an action. */
  direct(user: string, id: string): Message[];
  threads(id: string): Message[];
}

const FLOOR_MS = 100;
/** Nobody posted for so long: a new post has its turn at once. */
const QUIET_MS = 10_000;
const PEOPLE = ['U0ANA', 'U0BEN', 'U0CLEO', 'U0MIA', 'U0OLGA'];

export async function openFollowDesk(
  tools: Readonly<Record<string, GivenTool>>,
  { at = MONDAY }: { at?: Date } = {},
): Promise<FollowDesk> {
  const clock = new ManualClock(at);
  const desk = await openDesk({
    clock,
    agentYaml: agentWith(tools),
    releaseYaml: releaseWith(tools),
  });
  const { services, slack } = desk;
  const activities = () => {
    const client = createSlackClient({ botToken: slack.tokens.bot, apiUrl: slack.url });
    const port = createSlackPort(client, clock);
    return {
      ...createFollowActivities({ services, slack: port }),
      ...createDigestActivities({ services, slack: port }),
    };
  };
  let worker = activities();
  const { sql } = services.db;
  const about = (id: string) => (message: Message) => message.text.includes(id) && !message.deleted;
  return {
    ...desk,
    async given(tool, gone = []) {
      for (const id of PEOPLE) slack.world.addUser({ id, deactivated: gone.includes(id) });
      worker = activities();
      clock.advance(QUIET_MS);
      return givenPendingAction(services, { tool, args: { id: 'R-1' } });
    },
    async follow(id, times = 1) {
      for (let pass = 1; pass < times; pass++) await worker.followAction(id);
      return worker.followAction(id);
    },
    async live(ids, forMs) {
      const endMs = clock.now().getTime() + forMs;
      const dueMs = new Map(ids.map((id) => [id, clock.now().getTime()]));
      for (;;) {
        const [id, atMs] = [...dueMs].sort(([, a], [, b]) => a - b)[0] ?? [];
        if (id === undefined || atMs === undefined || atMs > endMs) break;
        clock.moveTo(new Date(atMs));
        const { final, waitMs } = await worker.followAction(id);
        if (final) dueMs.delete(id);
        else dueMs.set(id, clock.now().getTime() + Math.max(FLOOR_MS, waitMs));
      }
      clock.moveTo(new Date(endMs));
    },
    digest: () => worker.sendDigest('desk'),
    restart() {
      worker = activities();
    },
    async alerts(id) {
      const all = await sql.selectFrom('alert').select(['kind', 'facts']).orderBy('created_at').execute();
      return all.filter(({ facts }) => facts.action === id).map(({ kind }) => kind);
    },
    async entries(id, kind) {
      const rows = await writtenLog(sql)
        .select('body')
        .where('ref', '=', id)
        .where('kind', '=', kind)
        .orderBy('n')
        .execute();
      return rows.map(({ body }) => (JSON.parse(body) as { data: Record<string, unknown> }).data);
    },
    cards: (id) => slack.messages(CHANNEL).filter((one) => about(id)(one) && !one.threadTs),
    direct: (user, id) => slack.messages(`D0${user}`).filter(about(id)),
    threads: (id) => slack.messages(CHANNEL).filter((one) => about(id)(one) && one.threadTs),
  };
}

const agentWith = (tools: Readonly<Record<string, GivenTool>>): string =>
  AGENT +
  Object.entries(tools)
    .map(
      ([name, { risk = 'medium' }]) => `  ${name}:
    kind: write
    risk: ${risk}
    summary: "${name} {id}"
    args: { type: object, properties: { id: { type: string } } }
`,
    )
    .join('');

const releaseWith = (tools: Readonly<Record<string, GivenTool>>): string => `agent: desk
release: 1
grants:
${Object.entries(tools)
  .map(([name, { approval }]) => `  - { tool: ${name}, approval: ${approval} }\n`)
  .join('')}`;
