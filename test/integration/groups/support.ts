import { listGroups } from '../../../src/groups/list.ts';
import { refreshGroups } from '../../../src/groups/refresh.ts';
import type { Shift, SourceRef } from '../../../src/groups/source.ts';
import type { Sources } from '../../../src/groups/sources.ts';
import { SourceFailure } from '../../../src/net/source-failure.ts';
import { AGENT_YAML, approverActor, givenAdopted, givenAgent } from '../../support/fixtures.ts';
import { writtenLog } from '../../support/log.ts';
import type { MakeServices, TestServices } from '../../support/services.ts';

/** A source whose answers a test gives. */
export interface FakeSources {
  sources: Sources;
  /** By `kind id`. */
  answers: Record<string, Shift[] | SourceFailure>;
  /** What was asked, in order. */
  asked: string[];
  /** Called while a source is asked, before it answers. */
  during: () => Promise<void>;
}

export function fakeSources(answers: FakeSources['answers'] = {}): FakeSources {
  const fake: FakeSources = {
    answers,
    asked: [],
    during: async () => {},
    sources: ({ kind, id }: SourceRef) => ({
      async shifts() {
        const key = `${kind} ${id}`;
        fake.asked.push(key);
        await fake.during();
        const answer = fake.answers[key] ?? new SourceFailure('it is not there');
        if (answer instanceof SourceFailure) throw answer;
        return answer;
      },
    }),
  };
  return fake;
}

const PEOPLE = `people:
  olga: { name: Olga, email: olga@example.org, slack: U0OLGA/T0AIR }
  ana: { name: Ana, email: ana@example.org, slack: U0ANA/T0AIR }
  ben: { name: Ben, email: ben@example.org, slack: U0BEN/T0AIR }
  cleo: { name: Cleo }`;

/** The agent of the fixtures, with `desk` as this group. */
export const agentWith = (desk: string): string =>
  AGENT_YAML.replace(/^people: .*$/m, PEOPLE).replace('{ desk: [ana, ben] }', `{ desk: ${desk} }`);

export interface Desk {
  services: TestServices;
  fake: FakeSources;
  refresh(): Promise<void>;
}

export type OpenDesk = (group: string, answers?: FakeSources['answers']) => Promise<Desk>;

/** Log entries up to here are of earlier tests. */
const loggedBefore = new Map<TestServices, number>();

/**
 * Opens the desk with a live group and its release in force; nothing was read yet. The tests of a block share a store,
 * and a clock that only goes forward.
 */
export function groupDesk(make: MakeServices): OpenDesk {
  let opened: Promise<TestServices> | undefined;
  return async (group, answers = {}) => {
    const first = opened === undefined;
    opened ??= make();
    const services = await opened;
    const agentYaml = agentWith(group);
    if (first) await givenAdopted(services, { agentYaml });
    else await startAnew(services, agentYaml);
    const fake = fakeSources(answers);
    return { services, fake, refresh: () => refreshGroups(services, fake.sources) };
  };
}

async function startAnew(services: TestServices, agentYaml: string): Promise<void> {
  const { sql } = services.db;
  await sql.deleteFrom('group_source').execute();
  await sql.deleteFrom('agent_approver').execute();
  await givenAgent(services, agentYaml);
  const last = await writtenLog(sql).select('n').orderBy('n', 'desc').executeTakeFirst();
  loggedBefore.set(services, last?.n ?? 0);
}

export const slackUsers = (...ids: string[]): Shift[] => ids.map((slack) => ({ who: { slack } }));

export const SLACK = '{ slackGroup: S0DESK }';
export const KEY = 'slack S0DESK';
export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;

/** The group as people see it. */
export const groupOf = async (services: TestServices) => {
  const [group] = await listGroups(services, approverActor(), 'desk');
  if (!group) throw new Error('there is no group');
  return group;
};
export const peopleIn = async (services: TestServices) =>
  (await groupOf(services)).members.map(({ person }) => person);
/** What the log says of changes in the groups. */
export const logged = async (services: TestServices) => {
  const rows = await writtenLog(services.db.sql)
    .select('body')
    .where('kind', '=', 'group.changed')
    .where('n', '>', loggedBefore.get(services) ?? 0)
    .orderBy('n')
    .execute();
  return rows.map(({ body }) => JSON.parse(body).data);
};
export const after = ({ clock }: TestServices, ms: number) => new Date(clock.now().getTime() + ms);
