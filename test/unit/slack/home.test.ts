import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { HomeFacts, QueuedAction, WaitingAction } from '../../../src/approvals/inbox.ts';
import { agoText, type HomeView, homeNotice, homeView } from '../../../src/slack/home.ts';
import { refuseBadView } from '../../fakes/slack/block-rules.ts';
import { elementsOf, findElement, visibleText } from '../../fakes/slack/visible.ts';
import { AT, keepForLooking, LATER } from '../cards/facts.ts';

const ID = '0b7e3f6a-1f6e-4d7e-9f43-0d1f2a3b4c5d';
const BEFORE = new Date(AT.getTime() - 12 * 60_000);
const linkTo = ({ channel, ts }: { channel: string; ts: string }) =>
  `https://fake.slack.com/archives/${channel}/p${ts}`;

/** What a person reads in the tab, after Slack's own rules have passed it. */
function read(view: HomeView): string {
  refuseBadView(view, 'home');
  return visibleText({ blocks: view.blocks as never });
}

const queued = (more: Partial<QueuedAction> = {}): QueuedAction => ({
  id: ID,
  agent: 'desk',
  summary: 'Cancel order R-1',
  risk: 'high',
  segment: 'gold',
  asked_at: BEFORE,
  expires_at: LATER,
  card: undefined,
  insteadOf: undefined,
  here: true,
  ...more,
});

const waiting = (more: Partial<WaitingAction> = {}): WaitingAction => ({
  ...queued(),
  needs: [{ group: 'legal', quorum: 2 }],
  people: ['Lea', 'Lou'],
  escalated: [],
  unreached: false,
  answered: false,
  ...more,
});

const standing = (more: Partial<HomeFacts['standings']['items'][number]> = {}) => ({
  id: '11111111-2222-4333-8444-555555555555',
  agent: 'desk',
  tool: 'cancel',
  grant_name: 'cancel-2',
  release: '1',
  segment: 'gold',
  arm: 'control' as const,
  rollout_id: null,
  generation: null,
  phase: null,
  action_id: ID,
  round: 0,
  envelope: 'args.id == "R-1"',
  max_uses: 5,
  used: 2,
  starts_at: AT,
  expires_at: LATER,
  created_by: 'ana',
  ended_at: null,
  ended_because: null,
  ended_by: null,
  ...more,
});

const deputy = (more: Partial<HomeFacts['deputies'][number]> = {}): HomeFacts['deputies'][number] => ({
  id: 'd-1',
  agent: 'desk',
  from_person: 'ana',
  to_person: 'ben',
  from: 'Ana',
  to: 'Ben',
  grp: 'legal',
  starts_at: AT,
  ends_at: LATER,
  reason: 'On holiday',
  created_at: AT,
  created_by: 'ana',
  revoked_at: null,
  revoked_by: null,
  ...more,
});

const homeFacts = (more: Partial<HomeFacts> = {}): HomeFacts => ({
  at: AT,
  publicUrl: 'https://portcullis.test',
  known: [{ agent: 'desk', name: 'Ana', testMode: false }],
  queue: { items: [], more: 0 },
  others: { items: [], more: 0 },
  standings: { items: [], more: 0 },
  deputies: [],
  off: [],
  mayDisable: true,
  ...more,
});

test('with nothing to show, every part says so in words', () => {
  const shown = read(homeView(homeFacts(), linkTo));
  for (const line of [
    'You are Ana of agent desk. As of 2026-03-02 10:00 UTC',
    'Nothing is switched off: what is granted and approved may begin.',
    'Waiting for you: 0',
    'Nothing waits for your answer.',
    'Who is waiting on whom: 0',
    'Nothing of your agents waits for anybody else.',
    'Approved for a while: 0',
    'No standing approval of yours, or of an agent you own, is live.',
    'Nobody answers for you now, and you answer for nobody else.',
  ])
    expect(shown.split('\n')).toContain(line);
});

test('a full tab says what waits for whom, since when, and what may be taken back', () => {
  const view = homeView(
    homeFacts({
      known: [
        { agent: 'desk', name: 'Ana', testMode: false },
        { agent: 'bank', name: 'ana.b', testMode: true },
      ],
      queue: {
        items: [
          queued({ card: { channel: 'C1', ts: '17.5' } }),
          queued({ id: 'b', here: false, insteadOf: 'Cleo', segment: null }),
        ],
        more: 30,
      },
      others: { items: [waiting({ escalated: ['board'], unreached: true, answered: true })], more: 2 },
      standings: { items: [standing()], more: 0 },
      deputies: [deputy()],
      off: [
        {
          scope: 'tool/desk/pay',
          later: [],
          reads: true,
          reason: 'fire',
          actor: 'cleo',
          changed_at: AT,
          epoch: 3,
          enable_asked_by: null,
        },
      ],
    }),
    linkTo,
  );
  keepForLooking('home', view);
  const shown = read(view).split('\n');
  for (const line of [
    'You are Ana of agent desk, ana.b of agent bank (TEST MODE). As of 2026-03-02 10:00 UTC',
    '*OFF: pay of desk*, reads too, since 2026-03-02 10:00 UTC by cleo: fire',
    'Waiting for you: 32',
    '*Cancel order R-1*',
    'risk high · agent desk · segment gold · asked 12 min ago · expires 2026-03-02 11:00 UTC · its card',
    'risk high · agent desk · asked 12 min ago · expires 2026-03-02 11:00 UTC · for Cleo · approve it on the page',
    'and 30 more: all of them',
    'Who is waiting on whom: 3',
    'asked 12 min ago, waits for 2 of legal (Lea, Lou) · escalated to board · *nobody could be told* · you have answered · risk high · agent desk · segment gold · expires 2026-03-02 11:00 UTC',
    '*cancel* of desk, segment gold, given by ana with this action',
    'used 2 of 5, until 2026-03-02 11:00 UTC, where',
    'args.id == "R-1"',
    '• Ben answers for Ana in group legal of desk until 2026-03-02 11:00 UTC: On holiday',
  ])
    expect(shown).toContain(line);
  const names = elementsOf(view.blocks as never).map(({ element }) => element.accessibility_label);
  expect(names).toEqual([
    'Emergency disable: choose what to switch off',
    'Open: Cancel order R-1',
    'Open: Cancel order R-1',
    'Take back: cancel of desk',
  ]);
});

test('nobody answers from the tab: approving takes a look at the arguments', () => {
  const view = homeView(homeFacts({ queue: { items: [queued()], more: 0 } }), linkTo);
  expect(findElement({ blocks: view.blocks as never }, 'Open').element).toMatchObject({
    url: `https://portcullis.test/actions/${ID}`,
  });
  expect(JSON.stringify(view)).not.toContain('action.approve');
});

test('the emergency switch is there for those who may throw it', () => {
  const may = (mayDisable: boolean) => JSON.stringify(homeView(homeFacts({ mayDisable }), linkTo));
  expect(may(true)).toContain('home.disable');
  expect(may(false)).not.toContain('home.disable');
});

test('ages are told in the largest unit that fits', () => {
  const ago = (minutes: number) => agoText(new Date(AT.getTime() - minutes * 60_000), AT);
  expect([0, 1, 59, 60, 47 * 60, 48 * 60].map(ago)).toEqual([
    'just now',
    '1 min ago',
    '59 min ago',
    '1 h ago',
    '47 h ago',
    '2 days ago',
  ]);
});

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 100 }),
  fc.constantFrom(
    '<!channel>',
    '<@U0ANA>',
    '<https://evil.test|safe>',
    '```',
    '*',
    '\u202e',
    'x'.repeat(4_000),
    '&'.repeat(900),
  ),
);
/** Agents and tools are named by manifests, and those are checked. */
const name = fc.stringMatching(/^[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}$/);
const many = <T>(one: fc.Arbitrary<T>) =>
  fc.record({ items: fc.array(one, { maxLength: 20, size: 'max' }), more: fc.nat(900) });

test('no tab breaks a limit of Slack, whatever agents and people write', () => {
  fc.assert(
    fc.property(
      many(fc.record({ summary: text, agent: text, insteadOf: text, segment: text, here: fc.boolean() })),
      many(
        fc.record({
          summary: text,
          needs: fc.array(fc.record({ group: text, quorum: fc.nat(20) }), { maxLength: 5 }),
          people: fc.array(text, { maxLength: 5 }),
          escalated: fc.array(text, { maxLength: 5 }),
        }),
      ),
      many(fc.record({ tool: name, agent: name, envelope: text, created_by: text })),
      fc.array(fc.record({ from: text, to: text, reason: text, grp: text }), { maxLength: 40 }),
      fc.array(fc.record({ reason: text, actor: text }), { maxLength: 40 }),
      fc.array(text, { maxLength: 30 }),
      (queue, others, standings, deputies, off, known) => {
        const ids = (all: { items: readonly object[] }) => all.items.map((_, index) => `${index}`);
        const view = homeView(
          homeFacts({
            queue: {
              ...queue,
              items: queue.items.map((one, i) => queued({ ...one, id: ids(queue)[i] ?? '' })),
            },
            others: {
              more: others.more,
              items: others.items.slice(0, 10).map((one, i) => waiting({ ...one, id: `${i}` })),
            },
            standings: {
              more: standings.more,
              items: standings.items.slice(0, 10).map((one, i) => standing({ ...one, id: `${i}` })),
            },
            deputies: deputies.map(deputy),
            off: off.map((one) => ({
              scope: 'everything',
              later: [],
              reads: false,
              changed_at: AT,
              epoch: 1,
              enable_asked_by: null,
              ...one,
            })),
            known: known.map((each) => ({ agent: each, name: each, testMode: true })),
          }),
          linkTo,
        );
        read(view);
        read(homeNotice('You are not known here yet', 'x'));
        expect(JSON.stringify(view)).not.toMatch(/<!channel|<@U0ANA|<https:\/\/evil\.test\|safe/);
      },
    ),
    { numRuns: 100 },
  );
}, 60_000);
