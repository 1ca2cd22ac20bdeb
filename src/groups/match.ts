import { type Agent, standsBehind } from '../domain/agent.ts';
import { nearestInstant } from '../domain/instant.ts';
import type { Shift, Who } from './source.ts';

/** A person of the agent and when they are in a group; null: without end. */
export interface Membership {
  person: string;
  from: Date | null;
  until: Date | null;
}

export interface Matched {
  /** At most one entry a person for any moment, in the order of people and time. */
  members: Membership[];
  /** Whom a source names and who does not count, in its own words, each once. */
  unknown: string[];
}

const SHOWN_LENGTH_MAX = 120;
const SHOWN_MAX = 50;

/**
 * Who the shifts of a source are among the people of an agent. By Slack id or e-mail address alone where a source gives
 * one, else by the words: exactly one person's id or name. Somebody who may be two people, or nobody, is `unknown`; so is
 * whoever may not approve because they stand behind the agent.
 */
export function matchShifts(agent: Agent, shifts: readonly Shift[]): Matched {
  const personFor = matcherOf(agent);
  const members: Membership[] = [];
  const unknown = new Set<string>();
  for (const { who, from, until } of shifts) {
    const person = personFor(who);
    if (person === undefined) unknown.add(shown(who));
    else if (!agent.testMode && standsBehind(agent, person))
      unknown.add(`${person} (owns or deploys the agent)`);
    else
      members.push({
        person,
        from: from ? nearestInstant(from) : null,
        until: until ? nearestInstant(until) : null,
      });
  }
  return { members: mergeMemberships(members), unknown: firstOf([...unknown].sort()) };
}

/** The same memberships, each person's overlapping and adjoining times put together. */
export function mergeMemberships(members: readonly Membership[]): Membership[] {
  const merged: Membership[] = [];
  const sorted = [...members].sort((a, b) => compareText(a.person, b.person) || fromMs(a) - fromMs(b));
  for (const member of sorted) {
    const last = merged.at(-1);
    if (last && last.person === member.person && fromMs(member) <= untilMs(last)) {
      if (untilMs(member) > untilMs(last)) last.until = member.until;
    } else if (fromMs(member) < untilMs(member)) merged.push({ ...member });
  }
  return merged;
}

/** Who gained and who lost moments within the window; a change of both in one person names them twice. */
export function changesOf(
  before: readonly Membership[],
  after: readonly Membership[],
  window: { from: Date; to: Date },
): { added: string[]; removed: string[] } {
  const [was, is] = [clipped(before, window), clipped(after, window)];
  return { added: gainers(was, is), removed: gainers(is, was) };
}

export const isMemberAt = (member: Membership, at: Date): boolean =>
  fromMs(member) <= at.getTime() && untilMs(member) > at.getTime();

const fromMs = ({ from }: Membership): number => from?.getTime() ?? Number.NEGATIVE_INFINITY;
const untilMs = ({ until }: Membership): number => until?.getTime() ?? Number.POSITIVE_INFINITY;
const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function clipped(members: readonly Membership[], { from, to }: { from: Date; to: Date }): Membership[] {
  const inside = members.map((member) => ({
    person: member.person,
    from: new Date(Math.max(fromMs(member), from.getTime())),
    until: new Date(Math.min(untilMs(member), to.getTime())),
  }));
  return mergeMemberships(inside);
}

/** People with a stretch in `after` that no single one of `before` covers; both are merged. */
function gainers(before: readonly Membership[], after: readonly Membership[]): string[] {
  const gained = after.filter(
    (now) =>
      !before.some(
        (was) => was.person === now.person && fromMs(was) <= fromMs(now) && untilMs(was) >= untilMs(now),
      ),
  );
  return [...new Set(gained.map(({ person }) => person))];
}

function matcherOf({ people }: Pick<Agent, 'people'>): (who: Who) => string | undefined {
  const bySlack = new Map<string, Set<string>>();
  const byEmail = new Map<string, Set<string>>();
  const byName = new Map<string, Set<string>>();
  const add = (index: Map<string, Set<string>>, key: string | undefined, person: string) => {
    if (key !== undefined) index.set(key, (index.get(key) ?? new Set()).add(person));
  };
  for (const [person, { slack, email, name }] of Object.entries(people)) {
    add(bySlack, slack, person);
    add(bySlack, slack?.split('/')[0], person);
    add(byEmail, email?.toLowerCase(), person);
    add(byName, person.toLowerCase(), person);
    add(byName, name?.trim().toLowerCase(), person);
  }
  return (who) => {
    if ('slack' in who) return only(bySlack.get(who.slack));
    if ('email' in who) return only(byEmail.get(who.email.trim().toLowerCase()));
    return only(byName.get(who.name.trim().toLowerCase()));
  };
}

const only = (people: ReadonlySet<string> | undefined): string | undefined =>
  people?.size === 1 ? [...people][0] : undefined;

const shown = (who: Who): string => {
  const words = 'slack' in who ? `Slack user ${who.slack}` : 'email' in who ? who.email : who.name;
  return storable(words);
};

/** As the store can hold it: no control characters, no halves of a character. */
function storable(words: string): string {
  const characters = [...Buffer.from(words.replace(/\p{Cc}+/gu, ' ').trim()).toString()];
  if (characters.length <= SHOWN_LENGTH_MAX) return characters.join('');
  return `${characters.slice(0, SHOWN_LENGTH_MAX).join('')}… (${characters.length} characters)`;
}

const firstOf = (words: readonly string[]): string[] =>
  words.length <= SHOWN_MAX
    ? [...words]
    : [...words.slice(0, SHOWN_MAX), `and ${words.length - SHOWN_MAX} more`];
