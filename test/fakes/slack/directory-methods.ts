import { knownChannel, type Method, messageJson } from './chat-methods.ts';
import { type Json, SlackRefusal, str } from './json.ts';
import type { Message, SlackChannel, SlackUser, World } from './world.ts';

const PAGE = 100;
const HISTORY_PAGE_MAX = 999;

/** Who and where: users, conversations, user groups and the token itself. */
export const DIRECTORY_METHODS: Record<string, Method> = {
  'auth.test': (_, { world }) => {
    const { team, botUserId, botId } = world.workspace;
    const bot = world.user(botUserId);
    return {
      url: `https://${team.domain}.slack.com/`,
      team: team.name,
      user: bot.name,
      team_id: team.id,
      user_id: botUserId,
      bot_id: botId,
      is_enterprise_install: false,
    };
  },
  'users.info': (args, { world }) => ({ user: userJson(world.user(str(args.user))) }),
  'users.lookupByEmail': (args, { world }) => {
    const email = str(args.email).toLowerCase();
    const found = [...world.users.values()].find(
      (each) => email !== '' && each.email?.toLowerCase() === email,
    );
    if (!found || found.deactivated) throw new SlackRefusal('users_not_found');
    return { user: userJson(found) };
  },
  'users.getPresence': (args, { world }) => ({ presence: world.user(str(args.user)).presence }),
  'usergroups.users.list': (args, { world }) => {
    const group = world.usergroups.get(str(args.usergroup));
    if (!group) throw new SlackRefusal('no_such_subteam');
    if (group.disabled && !isTrue(args.include_disabled)) throw new SlackRefusal('subteam_disabled');
    return { users: [...group.users] };
  },
  'conversations.open': openConversation,
  'conversations.info': (args, { world }) => ({ channel: channelJson(world, knownChannel(world, args)) }),
  'conversations.members': (args, { world }) => {
    const all = [...knownChannel(world, args).members];
    const from = Number(str(args.cursor) || 0);
    const to = from + (Number(args.limit) || PAGE);
    const next = to < all.length ? String(to) : '';
    return { members: all.slice(from, to), response_metadata: { next_cursor: next } };
  },
  'conversations.history': (args, { world }) =>
    historyPage(world, args, (message) => message.threadTs === undefined),
  'conversations.replies': (args, { world }) => {
    const ts = str(args.ts);
    if (!world.message(str(args.channel), ts)) throw new SlackRefusal('thread_not_found');
    return historyPage(world, args, (message) => message.ts === ts || message.threadTs === ts);
  },
};

/** Newest first; metadata only when asked for. */
function historyPage(world: World, args: Json, test: (message: Message) => boolean): Json {
  const channel = knownChannel(world, args);
  if (!channel.members.has(world.workspace.botUserId)) throw new SlackRefusal('not_in_channel');
  const [oldest, latest] = [Number(args.oldest || 0), Number(args.latest || Number.POSITIVE_INFINITY)];
  const all = world.messages
    .filter((each) => each.channel === channel.id && !each.deleted && test(each))
    .filter(({ ts }) => Number(ts) > oldest && Number(ts) < latest)
    .sort((a, b) => Number(b.ts) - Number(a.ts));
  const from = Number(str(args.cursor) || 0);
  const to = from + Math.min(HISTORY_PAGE_MAX, Number(args.limit) || PAGE);
  const messages = all.slice(from, to).map((each) => {
    const { metadata, ...rest } = messageJson(world, each);
    return isTrue(args.include_all_metadata) && metadata ? { ...rest, metadata } : rest;
  });
  const has_more = to < all.length;
  return { messages, has_more, response_metadata: { next_cursor: has_more ? String(to) : '' } };
}

function openConversation(args: Json, { world }: { world: World }): Json {
  if (args.channel) return { channel: { id: knownChannel(world, args).id } };
  const ids = str(args.users).split(',').filter(Boolean);
  if (ids.length === 0) throw new SlackRefusal('users_list_not_supplied');
  if (ids.length > 8) throw new SlackRefusal('too_many_users');
  for (const id of ids) {
    if (world.user(id).deactivated) throw new SlackRefusal('user_disabled');
  }
  const channel = world.openIm(ids);
  return { channel: isTrue(args.return_im) ? channelJson(world, channel) : { id: channel.id } };
}

function isTrue(value: unknown): boolean {
  return value === true || value === 'true' || value === '1';
}

function userJson(user: SlackUser): Json {
  return {
    id: user.id,
    team_id: user.teamId,
    name: user.name,
    deleted: user.deactivated,
    real_name: user.name,
    tz: user.tz,
    is_bot: false,
    is_restricted: user.guest,
    is_ultra_restricted: false,
    ...(user.workspaces
      ? { enterprise_user: { id: user.id, enterprise_id: 'E0FAKE', teams: [...user.workspaces] } }
      : {}),
    profile: { real_name: user.name, display_name: user.name, ...(user.email ? { email: user.email } : {}) },
  };
}

function channelJson(world: World, channel: SlackChannel): Json {
  const { botUserId } = world.workspace;
  const other = [...channel.members].find((id) => id !== botUserId);
  return {
    id: channel.id,
    ...(channel.isIm ? { user: other } : { name: channel.name, name_normalized: channel.name }),
    is_channel: !channel.isIm,
    is_im: channel.isIm,
    is_private: channel.isPrivate,
    is_archived: channel.archived,
    is_member: channel.members.has(botUserId),
    num_members: channel.members.size,
  };
}
