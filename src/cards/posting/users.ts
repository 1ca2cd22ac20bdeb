import type { webApi } from '@slack/bolt';
import type { Clock } from '../../clock.ts';
import { slackFailure } from './failure.ts';
import { RateGate } from './rate-gate.ts';

/** What Slack says of a user. */
export interface SlackUser {
  deactivated: boolean;
  bot: boolean;
  teamId?: string;
  email?: string;
}

/** Looks a user up; `undefined` when Slack did not answer. */
export type UserLookup = (userId: string) => Promise<SlackUser | undefined>;

const KNOWN_FOR_MS = 60_000;
const KNOWN_MAX = 2_000;

/** A lookup over the Web API. An answer is believed for a minute; who asks meanwhile waits for the same answer. */
export function createUserLookup(client: webApi.WebClient, clock: Clock): UserLookup {
  const gate = new RateGate(clock);
  const known = new Map<string, { user: Promise<SlackUser | undefined>; untilMs: number }>();
  return async (userId) => {
    const cached = known.get(userId);
    const nowMs = clock.now().getTime();
    if (cached && cached.untilMs > nowMs) return cached.user;
    if (known.size >= KNOWN_MAX) known.clear();
    const asked = { user: askSlack(client, gate, userId), untilMs: nowMs + KNOWN_FOR_MS };
    known.set(userId, asked);
    const user = await asked.user;
    if (user === undefined && known.get(userId) === asked) known.delete(userId);
    return user;
  };
}

async function askSlack(
  client: webApi.WebClient,
  gate: RateGate,
  userId: string,
): Promise<SlackUser | undefined> {
  try {
    const { user } = await gate.call('users.info', () => client.users.info({ user: userId }));
    if (!user) return undefined;
    const { deleted, is_bot, team_id, profile } = user;
    return {
      deactivated: deleted === true,
      bot: is_bot === true,
      teamId: team_id,
      email: profile?.email,
    };
  } catch (error) {
    return slackFailure(error).code === 'user_not_found' ? { deactivated: true, bot: false } : undefined;
  }
}
