import { type Agent, slackUserOf } from '../domain/agent.ts';
import { actionUrl } from '../links.ts';
import { nameOf } from './action-state.ts';
import { LIMITS } from './blocks/limits.ts';
import { type SlackMessage, section } from './blocks/message.ts';
import { cut, dateText, inline, link } from './blocks/mrkdwn.ts';
import type { CardFacts } from './card-facts.ts';

/** Reminds those who have not answered, by mention where their Slack user is known. */
export function reminderMessage(facts: CardFacts, agent: Agent, people: readonly string[]): SlackMessage {
  const { action } = facts;
  const who = people.map((person) => {
    const user = slackUserOf(agent, person);
    return user ? `<@${user}>` : nameOf(facts, person);
  });
  const until = action.expires_at ? ` It expires ${dateText(action.expires_at)}; nothing happens then.` : '';
  const page = link(actionUrl(facts.publicUrl, action.id), 'Open the page');
  const text = cut(
    `${who.join(', ') || 'Nobody of the group may decide'}: still waiting for an answer: ${inline(action.summary, 600)}.${until} ${page}`,
    LIMITS.sectionText,
  );
  return { text, blocks: [section(`reminder:${action.id.slice(-12)}`, text)] };
}
