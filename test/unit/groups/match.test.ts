import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  changesOf,
  isMemberAt,
  type Membership,
  matchShifts,
  mergeMemberships,
} from '../../../src/groups/match.ts';
import type { Shift, Who } from '../../../src/groups/source.ts';
import { agentFrom } from '../../support/fixtures.ts';

const agent = agentFrom(`agent: desk
people:
  olga: { name: Olga, email: olga@example.org, slack: U0OLGA/T0AIR }
  ana: { name: Ana Lima, email: Ana@Example.org, slack: U0ANA/T0AIR }
  ben: { name: Ben, slack: U0BEN/T0AIR }
  ben-2: { name: ben, slack: U0BEN/T0SEA }
  dora: { email: dora@example.org }
owners: [olga]
deployers: [dora]
approvers: { desk: [ana] }
tools: { lookup: { kind: read } }
`);

const at = (hour: number): Date => new Date(Date.UTC(2026, 7, 3, hour));
const names = (...who: Who[]) => {
  const { members, unknown } = matchShifts(
    agent,
    who.map((one) => ({ who: one })),
  );
  return { people: members.map(({ person }) => person), unknown };
};

describe('who somebody is', () => {
  test('a Slack user by id with or without the workspace, an e-mail address in any case, a calendar entry by id or name', () => {
    for (const who of [
      { slack: 'U0ANA' },
      { slack: 'U0ANA/T0AIR' },
      { email: 'ANA@example.ORG' },
      { name: 'ana' },
      { name: ' ANA LIMA ' },
    ])
      expect(names(who)).toEqual({ people: ['ana'], unknown: [] });
    expect(names({ slack: 'U0BEN/T0SEA' }).people).toEqual(['ben-2']);
  });

  test('who may be two people, is part of a name or is nobody, is shown and not guessed', () => {
    expect(names({ slack: 'U0BEN' })).toEqual({ people: [], unknown: ['Slack user U0BEN'] });
    expect(names({ name: 'Ben' })).toEqual({ people: [], unknown: ['Ben'] });
    expect(names({ name: 'On call: ana' }, { name: 'An' }, { name: '' }).people).toEqual([]);
    expect(names({ name: 'ana@example.org' }).people).toEqual([]);
    expect(names({ email: 'ana' }).people).toEqual([]);
    expect(names({ slack: 'ana' }, { slack: 'u0ana' }).people).toEqual([]);
    expect(names({ name: 'constructor' }, { name: '__proto__' }).people).toEqual([]);
  });

  test('whoever stands behind the agent does not count, and that is said; in test mode they do', () => {
    const both = [{ who: { email: 'olga@example.org' } }, { who: { email: 'dora@example.org' } }];
    expect(matchShifts(agent, both)).toEqual({
      members: [],
      unknown: ['dora (owns or deploys the agent)', 'olga (owns or deploys the agent)'],
    });
    const people = matchShifts({ ...agent, testMode: true }, both).members.map(({ person }) => person);
    expect(people).toEqual(['dora', 'olga']);
  });

  test('what is shown can be stored: no control characters or broken ones, and what is cut says so', () => {
    const long = `evil\u0000\r\n\ud800${'x'.repeat(500)}`;
    const [word = ''] = names({ name: long }).unknown;
    expect(word).toMatch(/^evil \ufffdx+… \(\d+ characters\)$/);
    const many = Array.from({ length: 60 }, (_, n) => ({ name: `nobody ${n}` }));
    expect(names(...many).unknown).toHaveLength(51);
    expect(names(...many).unknown.at(-1)).toBe('and 10 more');
  });
});

const hours = fc.integer({ min: 0, max: 23 });
const when = fc.option(hours.map(at), { nil: undefined });
const who = fc.oneof(
  fc.constantFrom('U0ANA', 'U0BEN', 'U0OLGA/T0AIR', 'U9').map((slack) => ({ slack })),
  fc.constantFrom('ana@example.org', 'dora@example.org', 'x@y.z').map((email) => ({ email })),
  fc
    .oneof(fc.constantFrom('ana', 'Ben', 'ben-2', 'Olga'), fc.string({ unit: 'binary' }))
    .map((name) => ({ name })),
);
const shift: fc.Arbitrary<Shift> = fc.record({ who, from: when, until: when });
const membership: fc.Arbitrary<Membership> = fc.record({
  person: fc.constantFrom('ana', 'ben'),
  from: fc.option(hours.map(at)),
  until: fc.option(hours.map(at)),
});
const presentAt = (members: readonly Membership[], moment: Date) =>
  new Set(members.filter((one) => isMemberAt(one, moment)).map(({ person }) => person));

describe('properties', () => {
  test('nobody counts but a person of the agent, at the times of a shift of theirs alone; nobody is lost in silence', () => {
    fc.assert(
      fc.property(fc.array(shift, { maxLength: 20 }), hours.map(at), (shifts, moment) => {
        const { members, unknown } = matchShifts(agent, shifts);
        for (const person of presentAt(members, moment)) {
          expect(['ana', 'ben', 'ben-2']).toContain(person);
          const own = shifts.filter((one) => matchShifts(agent, [one]).members[0]?.person === person);
          expect(own.some(({ from, until }) => (!from || from <= moment) && (!until || until > moment))).toBe(
            true,
          );
        }
        for (const one of shifts) {
          const alone = matchShifts(agent, [one]);
          const empty = one.from && one.until && one.from >= one.until;
          expect(alone.members.length + alone.unknown.length).toBe(
            empty && alone.unknown.length === 0 ? 0 : 1,
          );
        }
        expect(JSON.stringify(unknown)).not.toMatch(/\\u0000|\\ud[89a-f]/);
      }),
    );
  });

  test('merging changes nobody’s membership at any moment, and leaves one entry a person for each', () => {
    fc.assert(
      fc.property(fc.array(membership, { maxLength: 12 }), hours.map(at), (members, moment) => {
        const merged = mergeMemberships(members);
        expect(presentAt(merged, moment)).toEqual(presentAt(members, moment));
        const present = merged.filter((one) => isMemberAt(one, moment)).map(({ person }) => person);
        expect(new Set(present).size).toBe(present.length);
      }),
    );
  });

  test('a change names exactly those whose membership differs at some moment of the window', () => {
    const some = fc.array(membership, { maxLength: 8 });
    fc.assert(
      fc.property(some, some, (before, after) => {
        const window = { from: at(6), to: at(18) };
        const { added, removed } = changesOf(before, after, window);
        const gained = new Set<string>();
        const lost = new Set<string>();
        for (let hour = 6; hour < 18; hour++) {
          const [was, is] = [presentAt(before, at(hour)), presentAt(after, at(hour))];
          for (const person of is) if (!was.has(person)) gained.add(person);
          for (const person of was) if (!is.has(person)) lost.add(person);
        }
        expect(new Set(added)).toEqual(gained);
        expect(new Set(removed)).toEqual(lost);
      }),
    );
  });
});
