import type { Agent } from '../../../src/domain/agent.ts';
import { refreshGroups } from '../../../src/groups/refresh.ts';
import { type Shift, SourceFailure, type SourceRef } from '../../../src/groups/source.ts';
import type { Sources } from '../../../src/groups/sources.ts';
import { AGENT_YAML, givenAdopted } from '../../support/fixtures.ts';
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
  agent: Agent;
  fake: FakeSources;
  refresh(): Promise<void>;
}

/** The desk with a live group and its release in force; nothing was read yet. */
export async function openGroupDesk(make: MakeServices, desk: string, answers = {}): Promise<Desk> {
  const services = await make();
  const { agent } = await givenAdopted(services, { agentYaml: agentWith(desk) });
  const fake = fakeSources(answers);
  return { services, agent, fake, refresh: () => refreshGroups(services, fake.sources) };
}

export const slackUsers = (...ids: string[]): Shift[] => ids.map((slack) => ({ who: { slack } }));

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
