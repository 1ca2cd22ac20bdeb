import type { Json } from './json.ts';
import { SlackRefusal, str } from './json.ts';
import type { World } from './world.ts';

const BY_METHOD: Record<string, string> = {
  'chat.postMessage': 'chat:write',
  'chat.postEphemeral': 'chat:write',
  'chat.update': 'chat:write',
  'chat.delete': 'chat:write',
  'conversations.open': 'im:write',
  'files.getUploadURLExternal': 'files:write',
  'files.completeUploadExternal': 'files:write',
  'usergroups.users.list': 'usergroups:read',
  'users.info': 'users:read',
  'users.getPresence': 'users:read',
  'users.lookupByEmail': 'users:read.email',
};
const HISTORIES = ['channels:history', 'groups:history', 'im:history'];

/** Every scope that the methods of this stand-in ask for. */
export const SCOPES = [...new Set([...Object.values(BY_METHOD), ...HISTORIES, 'commands'])];

/** Refuses a method whose scope the app was not given. */
export function requireScope(world: World, granted: ReadonlySet<string>, method: string, args: Json): void {
  const needed = /^conversations\.(history|replies)$/.test(method)
    ? historyScope(world, str(args.channel))
    : BY_METHOD[method];
  if (needed !== undefined && !granted.has(needed)) throw new SlackRefusal('missing_scope');
}

function historyScope(world: World, channelId: string): string {
  const channel = world.channels.get(channelId);
  if (channel?.isIm) return 'im:history';
  return channel?.isPrivate ? 'groups:history' : 'channels:history';
}
