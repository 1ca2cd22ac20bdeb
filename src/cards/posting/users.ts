import type { webApi } from '@slack/bolt';
import type { Clock } from '../../clock.ts';
import { type SlackFailure, slackFailure } from './failure.ts';
import { RateGate } from './rate-gate.ts';

/** What Slack says of a user. */
export interface SlackUser {
  deactivated: boolean;
  bot: boolean;
  /** Of one or some channels only. */
  guest: boolean;
  /** The workspaces the user is of; several in an Enterprise Grid organization. */
  teamIds: readonly string[];
  email?: string;
}

/** What looking somebody up came to. That Slack did not say is never the same as that there is nobody. */
export type Looked = { user: SlackUser } | { failure: SlackFailure };

/** Looks a user up. Never throws. */
export type UserLookup = (userId: string) => Promise<Looked>;

const KNOWN_FOR_MS = 60_000;
const KNOWN_MAX = 2_000;
const NOBODY: SlackUser = { deactivated: true, bot: false, guest: false, teamIds: [] };

/** A lookup over the Web API. An answer is believed for a minute; who asks meanwhile waits for the same answer. */
export function createUserLookup(client: webApi.WebClient, clock: Clock): UserLookup {
  const gate = new RateGate(clock);
  const known = new Map<string, { looked: Promise<Looked>; untilMs: number }>();
  return async (userId) => {
    const cached = known.get(userId);
    const nowMs = clock.now().getTime();
    if (cached && cached.untilMs > nowMs) return cached.looked;
    if (known.size >= KNOWN_MAX) known.clear();
    const asked = { looked: askSlack(client, gate, userId), untilMs: nowMs + KNOWN_FOR_MS };
    known.set(userId, asked);
    const looked = await asked.looked;
    if ('failure' in looked && known.get(userId) === asked) known.delete(userId);
    return looked;
  };
}

async function askSlack(client: webApi.WebClient, gate: RateGate, userId: string): Promise<Looked> {
  try {
    const { user } = await gate.call('users.info', () => client.users.info({ user: userId }));
    if (!user) return { user: NOBODY };
    const { deleted, is_bot, is_restricted, is_ultra_restricted, is_stranger, profile } = user;
    const teams = [user.team_id, ...(user.enterprise_user?.teams ?? [])];
    return {
      user: {
        deactivated: deleted === true,
        bot: is_bot === true,
        guest: is_restricted === true || is_ultra_restricted === true,
        teamIds: is_stranger ? [] : [...new Set(teams.filter((team) => team !== undefined))],
        email: profile?.email,
      },
    };
  } catch (error) {
    const failure = slackFailure(error);
    return failure.code === 'user_not_found' ? { user: NOBODY } : { failure };
  }
}
