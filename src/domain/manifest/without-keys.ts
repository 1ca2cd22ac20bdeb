import { shownAddress } from '../address.ts';
import type { Agent, Group } from '../agent.ts';
import type { FreezeEntry } from '../freeze.ts';

type Approvers = Agent['approvers'][string];

/** A manifest for those who read it and do not write it: addresses that are called may hold a key. */
export function withoutKeys(agent: Agent): Agent {
  const { webhook, callback, assertions, freezes } = agent;
  const approvers = Object.entries(agent.approvers).map(([name, group]) => [name, groupWithoutKeys(group)]);
  return {
    ...agent,
    approvers: Object.fromEntries(approvers),
    ...(webhook && { webhook: { ...webhook, url: shownAddress(webhook.url) } }),
    ...(callback && { callback: { ...callback, url: shownAddress(callback.url) } }),
    ...(freezes && { freezes: freezes.map(freezeWithoutKey) }),
    ...(assertions?.jwks && { assertions: { ...assertions, jwks: shownAddress(assertions.jwks) } }),
  };
}

const freezeWithoutKey = (freeze: FreezeEntry): FreezeEntry =>
  freeze.ical && URL.canParse(freeze.ical) ? { ...freeze, ical: shownAddress(freeze.ical) } : freeze;

function groupWithoutKeys(group: Approvers): Approvers {
  if (Array.isArray(group)) return group;
  const { schedule } = group satisfies Group;
  if (!schedule || !('ical' in schedule) || !URL.canParse(schedule.ical)) return group;
  return { ...group, schedule: { ical: shownAddress(schedule.ical) } };
}
