import { type CardFacts, readCardFacts } from '../src/cards/card-facts.ts';
import { cardToShow, refreshCopies } from '../src/cards/copies.ts';
import type { SlackPort } from '../src/cards/posting/port.ts';
import { postAtOnce } from '../src/cards/posting/post-once.ts';
import { reminderMessage } from '../src/cards/reminder.ts';
import type { ActionState } from '../src/domain/action.ts';
import { isFinal } from '../src/domain/action.ts';
import { copiesOf } from '../src/records/copy.ts';
import { manifestOf } from '../src/records/manifest.ts';
import type { Services } from '../src/services.ts';
import { asActivityFailure } from './failures.ts';

export interface CardActivityDeps {
  services: Pick<Services, 'db' | 'clock' | 'publicUrl' | 'dayMs' | 'log'>;
  /** Without it nothing is posted; decisions come by web page and CLI. */
  slack?: SlackPort;
}

/** Where an action is, for whoever waits with it. Nothing of what it would do. */
export interface ActionView {
  state: ActionState;
  expiresAtMs: number | null;
  remindAtMs: number | null;
  deadlineAtMs: number | null;
  /** People are asked or told by a card. */
  wanted: boolean;
  /** Nothing follows by itself; a late report or a correction is a new beginning. */
  final: boolean;
}

/** What a workflow of one action did before `Patch.FollowRecord`: its cards and its one reminder. */
export const createCardActivities = ({ services, slack }: CardActivityDeps) => ({
  /** Posts the card where one is wanted and brings every copy up to the record. Any number of times the same. */
  async syncActionCards(actionId: string): Promise<ActionView> {
    try {
      const facts = await readCardFacts(services, actionId);
      if (slack) {
        await postWanted({ services, slack }, facts);
        await refreshCopies(services, slack, actionId);
      }
      return viewOf(await readCardFacts(services, actionId), slack !== undefined);
    } catch (error) {
      throw asActivityFailure(error);
    }
  },

  /** One reminder, ever, where the card is. False: none was needed or it was given already. */
  async remindAction(actionId: string): Promise<boolean> {
    try {
      return slack ? await remind({ services, slack }, actionId) : false;
    } catch (error) {
      throw asActivityFailure(error);
    }
  },
});
export type CardActivities = ReturnType<typeof createCardActivities>;
export type { SlackPort };

type Deps = Required<CardActivityDeps>;

/** People are asked about what is pending, and told of what policy allowed and nobody knows the end of. */
const isWanted = ({ action, channel }: CardFacts): boolean =>
  channel !== undefined &&
  action.kind === 'write' &&
  (action.state === 'pending' || action.state === 'unknown');

async function postWanted({ services, slack }: Deps, facts: CardFacts): Promise<void> {
  const { channel, action } = facts;
  if (channel === undefined || !isWanted(facts)) return;
  if ((await copiesOf(services.db.sql, action.id)).length > 0) return;
  const message = async () => ({ message: await cardToShow(services, facts), version: action.card_version });
  await postAtOnce(services, slack, { ref: action.id, channel, message });
}

function viewOf(facts: CardFacts, slack: boolean): ActionView {
  const { state, expires_at, remind_at, deadline_at } = facts.action;
  return {
    state,
    expiresAtMs: expires_at?.getTime() ?? null,
    remindAtMs: remind_at?.getTime() ?? null,
    deadlineAtMs: deadline_at?.getTime() ?? null,
    wanted: slack && isWanted(facts),
    final: isFinal(state) || state === 'unknown',
  };
}

async function remind({ services, slack }: Deps, actionId: string): Promise<boolean> {
  const facts = await readCardFacts(services, actionId);
  const ref = `${actionId}/reminder`;
  if (facts.action.state !== 'pending' || (await copiesOf(services.db.sql, ref)).length > 0) return false;
  const [card] = await copiesOf(services.db.sql, actionId);
  if (!card) return false;
  const agent = await manifestOf(services.db.sql, facts.action.agent);
  const decided = new Set(facts.decisions.map(({ person }) => person));
  const people = facts.approvers.filter((person) => !decided.has(person));
  const version = facts.action.card_version;
  const message = async () => ({ message: reminderMessage(facts, agent, people), version });
  await postAtOnce(services, slack, { ref, channel: card.channel, under: card, message });
  return true;
}
