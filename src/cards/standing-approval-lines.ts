import { STANDING_ENDED_WORDS } from '../domain/words.ts';
import { nameOf } from './action-state.ts';
import { dateText } from './blocks/mrkdwn.ts';
import type { CardFacts } from './card-facts.ts';
import type { CardStanding } from './standing-approval-facts.ts';

/** On what is, or would be, approved along with the action for a while: what holds, and of which arguments (CEL). */
export function standingParts(facts: CardFacts): { head: string; envelope: string }[] {
  const { action, standings } = facts;
  const wish = action.state === 'pending' ? action.standing_wish : null;
  if (!wish) return standings.map((one) => ({ head: standingHead(facts, one), envelope: one.envelope }));
  const bounds = `${timesText(wish.maxUses)} at most, for ${forText(wish.forMs)}`;
  const head = `*Approving also approves the like of it*, ${bounds}, as ${nameOf(facts, wish.by)} wished:`;
  return [{ head, envelope: wish.envelope }];
}

function standingHead(facts: CardFacts, { used, maxUses, until, by, ended }: CardStanding): string {
  const head = `*The like of it was approved too*, by ${nameOf(facts, by)}: used ${used} of ${maxUses}`;
  if (!ended) return `${head}, until ${dateText(until)}`;
  const who = ended.because === 'revoked' && ended.by ? ` by ${nameOf(facts, ended.by)}` : '';
  const why = ended.because ? `, because ${STANDING_ENDED_WORDS[ended.because]}${who}` : '';
  return `${head}. *Ended* ${dateText(ended.at)}${why}`;
}

export const timesText = (count: number): string => (count === 1 ? 'once' : `${count} times`);

/** "1 hour", "90 minutes". */
export function forText(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  const [count, unit] = minutes % 60 === 0 ? [minutes / 60, 'hour'] : [minutes, 'minute'];
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}
