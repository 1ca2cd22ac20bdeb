import fc from 'fast-check';
import { expect, test } from 'vitest';
import { verifies } from '../../requirements.ts';
import { describeWithServices, type TestServices } from '../../support/services.ts';
import {
  byDomain,
  byStore,
  type Claim,
  givenGroups,
  givenWorld,
  type Verdict,
  type World,
} from './who-may.ts';

const LIVE: World = { live: [{ person: 'ana' }, { person: 'ben' }] };
const ANA: Claim = { person: 'ana', group: 'live' };
/** Dave answers in the place of Ana. */
const LENT: World = { ...LIVE, deputies: [{ from: 'ana', to: 'dave' }] };
const FOR_ANA: Claim = { person: 'dave', for: 'ana', deputy: 0, group: 'live' };
const people = (more: World['people']): World['people'] => ({
  ...Object.fromEntries(['olga', 'dora', 'ana', 'ben', 'cleo', 'dave', 'zoe'].map((name) => [name, {}])),
  ...more,
});
const without = (gone: string): World['people'] =>
  Object.fromEntries(Object.entries(people({}) ?? {}).filter(([name]) => name !== gone));

const HOLDS = 'holds';
const LOST = 'approver_lost_standing';
const STALE = 'group_stale';

const CASES: [string, World, Claim, Verdict][] = [
  ['a member of a group that was read', LIVE, ANA, HOLDS],
  ['a member of a group that is written down', {}, { person: 'ana', group: 'desk' }, HOLDS],
  ['somebody who is not in it', LIVE, { person: 'cleo', group: 'live' }, LOST],
  ['a member of a group that was not asked', LIVE, { person: 'cleo', group: 'leads' }, LOST],
  [
    '… but was passed on to',
    { ...LIVE, routed: [{ group: 'leads', stage: 0 }] },
    { person: 'cleo', group: 'leads' },
    HOLDS,
  ],
  [
    '… in another stage',
    { ...LIVE, routed: [{ group: 'leads', stage: 1 }] },
    { person: 'cleo', group: 'leads' },
    LOST,
  ],
  ['somebody who was taken off the list', { desk: ['ben'] }, { person: 'ana', group: 'desk' }, LOST],
  ['somebody whom the manifest knows no more', { ...LIVE, people: without('ana'), desk: ['ben'] }, ANA, LOST],

  ['an owner', { ...LIVE, owners: ['olga', 'ana'] }, ANA, LOST],
  ['an owner, for trying out', { ...LIVE, owners: ['olga', 'ana'], testMode: true }, ANA, HOLDS],
  ['a deployer', { ...LIVE, deployers: ['ana'] }, ANA, LOST],
  ['a deployer, for trying out', { ...LIVE, deployers: ['ana'], testMode: true }, ANA, HOLDS],
  ['whoever asked', { ...LIVE, askedBy: 'ana' }, ANA, LOST],
  ['whoever asked, for trying out', { ...LIVE, askedBy: 'ana', testMode: true }, ANA, HOLDS],
  ['whoever is behind it', { ...LIVE, behind: ['mia', 'ANA '] }, ANA, LOST],
  ['whoever is behind it, even for trying out', { ...LIVE, behind: ['@ana'], testMode: true }, ANA, LOST],
  ['whoever is behind it, with words around', { ...LIVE, behind: ['On behalf of "Ana" (ana)'] }, ANA, LOST],
  ['whoever is behind it, in full width', { ...LIVE, behind: ['mia', '\uff41na\u200b'] }, ANA, LOST],
  [
    'whoever drives it, by Slack account',
    { ...LIVE, behind: ['<@U0ANA|x>'], people: people({ ana: { slack: 'U0ANA/T0' } }) },
    ANA,
    LOST,
  ],
  [
    'whoever drives it, by an address they got since',
    { ...LIVE, behind: ['mailto:Mia@bank.test'], people: people({ ana: { email: 'mia@bank.test' } }) },
    ANA,
    LOST,
  ],
  ['somebody else than who is behind it', { ...LIVE, behind: ['ben'] }, ANA, HOLDS],
  ['whoever changed the arguments', { ...LIVE, editors: ['ana'] }, ANA, LOST],
  ['whoever changed them before somebody else did', { ...LIVE, editors: ['ana', 'cleo'] }, ANA, LOST],

  ['a member whose shift runs', { live: [{ person: 'ana', from: -60, until: 1 }] }, ANA, HOLDS],
  ['a member whose shift starts now', { live: [{ person: 'ana', from: 0, until: 60 }] }, ANA, HOLDS],
  ['a member whose shift is over now', { live: [{ person: 'ana', from: -60, until: 0 }] }, ANA, LOST],
  ['a member whose shift is to come', { live: [{ person: 'ana', from: 1, until: 60 }] }, ANA, LOST],
  [
    'a member of two shifts, one of them now',
    {
      live: [
        { person: 'ana', from: -60, until: -30 },
        { person: 'ana', from: -1 },
      ],
    },
    ANA,
    HOLDS,
  ],

  ['a member as it was read too long ago', { ...LIVE, fresh: 0 }, ANA, STALE],
  ['nobody knows whether they are a member any more', { live: [], fresh: -5 }, ANA, STALE],
  ['a member of a group that was never read', { live: [], fresh: 'never' }, ANA, STALE],
  ['an owner, whoever else is in the group', { ...LIVE, owners: ['ana'], fresh: 0 }, ANA, LOST],

  ['a deputy', LENT, FOR_ANA, HOLDS],
  [
    'a deputy of another group',
    { ...LIVE, deputies: [{ from: 'ana', to: 'dave', group: 'desk' }] },
    FOR_ANA,
    LOST,
  ],
  [
    'a deputy of this group',
    { ...LIVE, deputies: [{ from: 'ana', to: 'dave', group: 'live' }] },
    FOR_ANA,
    HOLDS,
  ],
  [
    'a deputy that was revoked',
    { ...LIVE, deputies: [{ from: 'ana', to: 'dave', revoked: true }] },
    FOR_ANA,
    LOST,
  ],
  ['a deputy from now on', { ...LIVE, deputies: [{ from: 'ana', to: 'dave', starts: 0 }] }, FOR_ANA, HOLDS],
  ['a deputy to be', { ...LIVE, deputies: [{ from: 'ana', to: 'dave', starts: 1 }] }, FOR_ANA, LOST],
  ['a deputy no longer', { ...LIVE, deputies: [{ from: 'ana', to: 'dave', ends: 0 }] }, FOR_ANA, LOST],
  ['a deputy of somebody else', { ...LIVE, deputies: [{ from: 'ben', to: 'dave' }] }, FOR_ANA, LOST],
  [
    'somebody whose deputy another one is',
    { ...LIVE, deputies: [{ from: 'ana', to: 'cleo' }] },
    FOR_ANA,
    LOST,
  ],
  ['somebody who is nobody’s deputy', LIVE, { person: 'dave', for: 'ana', group: 'live' }, LOST],
  ['a deputy who owns the agent', { ...LENT, owners: ['olga', 'dave'] }, FOR_ANA, LOST],
  ['a deputy who asked', { ...LENT, askedBy: 'dave' }, FOR_ANA, LOST],
  ['a deputy whose lender owns the agent now', { ...LENT, owners: ['olga', 'ana'] }, FOR_ANA, LOST],
  ['… for trying out', { ...LENT, owners: ['olga', 'ana'], testMode: true }, FOR_ANA, HOLDS],
  ['a deputy whose lender deploys it now', { ...LENT, deployers: ['ana'] }, FOR_ANA, LOST],
  ['a deputy whose lender asked', { ...LENT, askedBy: 'ana' }, FOR_ANA, LOST],
  ['a deputy whose lender is behind it', { ...LENT, behind: ['ana'] }, FOR_ANA, LOST],
  ['a deputy whose lender changed the arguments', { ...LENT, editors: ['ana'] }, FOR_ANA, LOST],
  [
    'a deputy whose lender nobody knows any more',
    { ...LENT, people: without('ana'), desk: ['ben'] },
    FOR_ANA,
    LOST,
  ],
  ['a deputy whose lender’s shift is over', { ...LENT, live: [{ person: 'ana', until: 0 }] }, FOR_ANA, LOST],
  ['a deputy in a group that nobody could read', { ...LENT, fresh: 0 }, FOR_ANA, STALE],

  ['one who may break the glass', LIVE, { person: 'dave', group: 'emergency', glass: true }, HOLDS],
  ['one who may only approve', LIVE, { ...ANA, glass: true }, LOST],
  [
    'one who may break it and owns the agent',
    { ...LIVE, owners: ['olga', 'dave'] },
    { person: 'dave', group: 'emergency', glass: true },
    LOST,
  ],
];

const toolOf = ({ group }: Claim) => (group === 'desk' ? 'wire' : 'pay');

describeWithServices('who may approve, by the domain and by the store', (make) => {
  let given: Promise<TestServices> | undefined;
  const opened = () => {
    given ??= make().then(async (services) => {
      await givenGroups(services);
      return services;
    });
    return given;
  };

  test('is asked of both alike: every group has a case', () => {
    expect(new Set(CASES.map(([, , { group }]) => group)).size).toBe(4);
  });

  for (const [name, world, claim, verdict] of CASES)
    verifies('never:decision-without-standing', name, async () => {
      const services = await opened();
      const waiting = await givenWorld(services, world, toolOf(claim));
      const [domain] = await byDomain(services, waiting, [claim]);
      const [stored] = await byStore(services, waiting, [claim]);
      expect({ ...domain, stored }).toEqual({ read: verdict, locked: verdict, stored: verdict });
    });

  test('whatever the world, no claim counts for one and not for the other', async () => {
    const services = await opened();
    await fc.assert(
      fc.asyncProperty(anyWorld, fc.constantFrom('pay' as const, 'wire' as const), async (world, tool) => {
        const waiting = await givenWorld(services, world, tool);
        const claims = claimsIn(world);
        const domain = await byDomain(services, waiting, claims);
        const stored = await byStore(services, waiting, claims);
        const differ = claims.flatMap((claim, n) =>
          new Set([domain[n]?.read, domain[n]?.locked, stored[n]].map((one) => one === HOLDS)).size > 1
            ? [{ claim, domain: domain[n], stored: stored[n] }]
            : [],
        );
        expect(differ).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });
});

const WHO = ['olga', 'ana', 'ben', 'dave'];
const person = fc.constantFrom(...WHO);
const minute = fc.constantFrom(-60, 0, 60);
const anyWorld: fc.Arbitrary<World> = fc.record(
  {
    testMode: fc.boolean(),
    owners: fc.constantFrom(['olga'], ['ana'], ['olga', 'dave']),
    deployers: fc.subarray(['ben', 'dave'], { maxLength: 1 }),
    desk: fc.subarray(WHO),
    live: fc.array(fc.record({ person, from: minute, until: minute }, { requiredKeys: ['person'] }), {
      maxLength: 4,
    }),
    fresh: fc.constantFrom<(number | 'never')[]>(60, 60, 0, 'never'),
    deputies: fc
      .array(
        fc.record(
          {
            from: person,
            to: person,
            group: fc.constantFrom('live', 'desk'),
            starts: fc.constantFrom(-60, 0, 5),
            ends: fc.constantFrom(10, 60),
            revoked: fc.boolean(),
          },
          { requiredKeys: ['from', 'to'] },
        ),
        { maxLength: 3 },
      )
      .map((all) => all.filter(({ from, to }) => from !== to)),
    editors: fc.subarray(WHO, { maxLength: 1 }),
    behind: fc.subarray(WHO, { maxLength: 1 }),
    askedBy: person,
    routed: fc.subarray([
      { group: 'leads', stage: 0 },
      { group: 'desk', stage: 0 },
      { group: 'live', stage: 1 },
    ]),
  },
  { requiredKeys: [] },
);

/** Everybody by every group, for themselves and as every deputy there is. */
function claimsIn({ deputies = [] }: World): Claim[] {
  const groups = ['live', 'desk', 'leads', 'emergency'] as const;
  return groups.flatMap((group) => [
    ...WHO.map((one) => ({ person: one, group, glass: group === 'emergency' })),
    ...deputies.map(({ from, to }, n) => ({
      person: to,
      for: from,
      deputy: n,
      group,
      glass: group === 'emergency',
    })),
  ]);
}
