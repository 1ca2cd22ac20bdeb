import { expect } from 'vitest';
import { BUTTON } from '../../../src/cards/blocks/buttons.ts';
import type { ActionRow } from '../../../src/records/action.ts';
import { visibleText } from '../../fakes/slack/visible.ts';
import type { Message, View } from '../../fakes/slack/world.ts';
import { type Desk, openDesk, SLACK_AGENT_YAML, TEAM } from './support.ts';

/** The desk with a third approver, mia, a group that may break the glass, and two more tools. */
const AGENT = `${SLACK_AGENT_YAML.replace(
  'approvers: { desk: [ana, ben] }',
  'approvers: { desk: [ana, ben, mia], glass: [cleo, ben] }',
).replace(
  'people:\n',
  `people:\n  mia: { name: Mia, slack: U0MIA/${TEAM} }\n`,
)}  note: { kind: write, risk: low, summary: "Note {text}", args: { type: object, required: [text], properties: { text: { type: string } } } }
  file: { kind: write, summary: "File it", args: { type: object } }
`;

/** A desk whose tools ask as `approvals` say; those not named ask one of the group. */
export function openApprovalsDesk(approvals: Readonly<Record<string, string>> = {}): Promise<Desk> {
  const grants = ['cancel', 'refund', 'note', 'file'].map(
    (tool) => `  - { tool: ${tool}, approval: ${approvals[tool] ?? 'desk'} }`,
  );
  const releaseYaml = `agent: desk\nrelease: 1\ngrants:\n  - { tool: lookup }\n${grants.join('\n')}\n`;
  return openDesk({ agentYaml: AGENT, releaseYaml });
}

/** Chooses an entry of a card's menu and waits for the form that shows `text`. */
export async function openForm(
  desk: Desk,
  card: Message,
  [entry, user]: readonly [string, string],
  text: string,
): Promise<View> {
  await desk.slack.select(card, BUTTON.more, entry, user).ack();
  return desk.slack.nextView(user, (view) => visibleText(view).includes(text));
}

/** What a form says when it is answered. */
export async function shownIn(desk: Desk, view: View): Promise<string> {
  const shown = () => visibleText(desk.slack.view(view.id) ?? view);
  await expect.poll(shown).not.toContain('being recorded');
  return shown();
}

/** The decisions on an action, oldest first. */
export const decisionsOf = (desk: Desk, { id }: Pick<ActionRow, 'id'>) =>
  desk.services.db.sql
    .selectFrom('decision')
    .selectAll()
    .where('action_id', '=', id)
    .orderBy('round')
    .orderBy('at')
    .orderBy('person')
    .execute();
