import { actionUrl } from '../links.ts';
import { nameOf } from './action-state.ts';
import { dateText, inline, link } from './blocks/mrkdwn.ts';
import type { CardFacts } from './card-facts.ts';

const REASON_MAX = 300;

/** Who denied the same thing before, when and why: whoever is asked again should know. */
export function deniedLines(facts: CardFacts): string[] {
  const { denied, publicUrl } = facts;
  return denied.map(({ action, person, at, reason, sameSubject }) => {
    const why = reason ? `: “${inline(reason, REASON_MAX)}”` : ', without a reason';
    const about = sameSubject ? '' : ' (about another subject, as the agent says)';
    const one = link(actionUrl(publicUrl, action), 'the same');
    return `*Denied before:* ${nameOf(facts, person)} denied ${one} ${dateText(at)}${about}${why}`;
  });
}
