import { SourceFailure } from '../net/source-failure.ts';
import type { GroupSource } from './source.ts';

/** The ids of the users in a Slack user group. It rejects with Slack's own `code`, and `retryAfterMs` if told to wait. */
export type UsersOfGroup = (groupId: string) => Promise<readonly string[]>;

const MENDS: Readonly<Record<string, string>> = {
  missing_scope: 'give the Slack app the scope usergroups:read and install it again',
  plan_upgrade_required: 'user groups need a paid plan of Slack; list the people in the manifest instead',
  no_such_subteam: 'write the id of a user group of this workspace, e.g. S0123ABC',
  rate_limited: 'it is asked again when Slack allows it',
  not_reached: 'check the network',
};

/** The members of a Slack user group: whoever is in it now, at any hour. */
export const slackGroupSource = (usersOfGroup: UsersOfGroup, groupId: string): GroupSource => ({
  async shifts() {
    const users = await usersOfGroup(groupId).catch((error: unknown) => {
      throw failureFrom(error, groupId);
    });
    return users.map((slack) => ({ who: { slack } }));
  },
});

function failureFrom(error: unknown, groupId: string): SourceFailure {
  const { code, retryAfterMs } = error as { code?: unknown; retryAfterMs?: unknown };
  const word = typeof code === 'string' ? code : 'nothing that is understood';
  const mend = MENDS[word] ?? 'look the code up at docs.slack.dev';
  return new SourceFailure(
    `Slack answered ${word} for user group ${groupId}: ${mend}`,
    typeof retryAfterMs === 'number' ? retryAfterMs : undefined,
    { cause: error },
  );
}
