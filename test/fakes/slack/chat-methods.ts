import { refuseBadBlocks } from './block-rules.ts';
import { charCount, isJson, type Json, jsonList, SlackRefusal, str } from './json.ts';
import { LIMITS } from './limits.ts';
import type { Block, Message, SlackChannel, World } from './world.ts';

/** What a Web API method works with. `takePost` and `takeUpdate` count against the rate limits. */
export type MethodContext = {
  world: World;
  takePost: (channelId: string) => void;
  takeUpdate: () => void;
};
/** A Web API method: arguments in, the answer's fields out; it throws a SlackRefusal. */
export type Method = (args: Json, context: MethodContext) => Json;

/** Copies blocks and gives each the ids it lacks, as Slack does. */
export function withIds(world: World, blocks: unknown): Block[] {
  const copy = jsonList(structuredClone(blocks)).map((block): Block => {
    return { ...block, type: str(block.type), block_id: str(block.block_id) || world.freshId('b') };
  });
  for (const block of copy) {
    const children = [...jsonList(block.elements), block.accessory, block.element].filter(isJson);
    for (const element of children) {
      if (element.type === 'button' && element.action_id === undefined)
        element.action_id = world.freshId('a');
    }
    if (Array.isArray(block.child_blocks)) block.child_blocks = withIds(world, block.child_blocks);
  }
  return copy;
}

/** Checks text and blocks of anything that is posted; `max` bounds the text. */
export function postableContent(world: World, args: Json, max: number): { text: string; blocks: Block[] } {
  const text = str(args.text);
  if (args.attachments !== undefined) {
    throw new SlackRefusal('invalid_attachments', ['the stand-in knows no attachments']);
  }
  if (args.blocks !== undefined) refuseBadBlocks(args.blocks);
  const blocks = withIds(world, args.blocks);
  if (text.trim() === '' && blocks.length === 0) throw new SlackRefusal('no_text');
  if (charCount(text) > max) throw new SlackRefusal('msg_too_long');
  return { text, blocks };
}

/** A message in the form in which Slack's answers and payloads carry it. */
export function messageJson(world: World, message: Message): Json {
  const { appId, botId, team } = world.workspace;
  return {
    type: 'message',
    user: message.user,
    ts: message.ts,
    ...(message.botId ? { bot_id: message.botId } : {}),
    ...(message.botId === botId ? { app_id: appId } : {}),
    text: message.text,
    team: team.id,
    ...(message.blocks.length > 0 ? { blocks: message.blocks } : {}),
    ...(message.metadata ? { metadata: message.metadata } : {}),
    ...(message.threadTs ? { thread_ts: message.threadTs } : {}),
    ...(message.edited ? { edited: { user: message.user, ts: message.ts } } : {}),
  };
}

/** `chat.*` as far as Portcullis uses it. */
export const CHAT_METHODS: Record<string, Method> = {
  'chat.postMessage': postMessage,
  'chat.update': updateMessage,
  'chat.postEphemeral': postEphemeral,
  'chat.delete': deleteMessage,
  'chat.getPermalink': (args, { world }) => {
    const message = existingMessage(world, knownChannel(world, args), str(args.message_ts));
    const { domain } = world.workspace.team;
    const permalink = `https://${domain}.slack.com/archives/${message.channel}/p${message.ts.replace('.', '')}`;
    return { channel: message.channel, permalink };
  },
};

/** The channel by its id; only chat.postMessage also takes names and user ids. */
export function knownChannel(world: World, args: Json): SlackChannel {
  const channel = world.channels.get(str(args.channel));
  if (!channel) throw new SlackRefusal('channel_not_found');
  const hidden = channel.isPrivate && !channel.members.has(world.workspace.botUserId);
  if (hidden) throw new SlackRefusal('channel_not_found');
  return channel;
}

function postingChannel(world: World, args: Json): SlackChannel {
  const name = str(args.channel);
  const user = world.users.get(name);
  const id = user && !user.deactivated ? world.openIm([user.id]).id : (world.channel(name)?.id ?? '');
  const channel = knownChannel(world, { channel: id });
  if (channel.archived) throw new SlackRefusal('is_archived');
  if (!channel.members.has(world.workspace.botUserId)) throw new SlackRefusal('not_in_channel');
  return channel;
}

function existingMessage(world: World, channel: SlackChannel, ts: string): Message {
  const message = world.message(channel.id, ts);
  if (!message || message.deleted) throw new SlackRefusal('message_not_found');
  return message;
}

function checkedMetadata(args: Json): Json | undefined {
  if (args.metadata === undefined) return undefined;
  if (!isJson(args.metadata)) throw new SlackRefusal('invalid_metadata_format');
  const { event_type: type, event_payload: payload } = args.metadata;
  const empty = Object.keys(args.metadata).length === 0;
  const right =
    /^\w{1,255}$/.test(str(type)) && isJson(payload) && Object.values(payload).every(isMetadataValue);
  if (!empty && !right) throw new SlackRefusal('invalid_metadata_format');
  return args.metadata;
}

/** Text, numbers, booleans, and flat objects of them (or lists of such). */
function isMetadataValue(value: unknown): boolean {
  const plain = (each: unknown) => ['string', 'number', 'boolean'].includes(typeof each);
  const flat = (each: unknown) => isJson(each) && Object.values(each).every(plain);
  return plain(value) || flat(value) || (Array.isArray(value) && value.every(flat));
}

function postMessage(args: Json, { world, takePost }: MethodContext): Json {
  const channel = postingChannel(world, args);
  const content = postableContent(world, args, LIMITS.messageText);
  const metadata = checkedMetadata(args);
  const threadTs = str(args.thread_ts) || undefined;
  if (threadTs && !world.message(channel.id, threadTs)) throw new SlackRefusal('thread_not_found');
  takePost(channel.id);
  const { botId, botUserId: user } = world.workspace;
  const via = 'chat.postMessage';
  const message = world.post({ ...content, metadata, via, channel: channel.id, user, botId, threadTs });
  return { channel: channel.id, ts: message.ts, message: messageJson(world, message) };
}

function updateMessage(args: Json, { world, takeUpdate }: MethodContext): Json {
  takeUpdate();
  const channel = knownChannel(world, args);
  const message = existingMessage(world, channel, str(args.ts));
  if (message.user !== world.workspace.botUserId) throw new SlackRefusal('cant_update_message');
  if (channel.archived) throw new SlackRefusal('is_inactive');
  const onlyMetadata = args.metadata !== undefined && args.text === undefined && args.blocks === undefined;
  const { text, blocks } = onlyMetadata ? message : postableContent(world, args, LIMITS.updateText);
  const metadata = checkedMetadata(args) ?? message.metadata;
  message.edited ||= blocks.length === 0;
  world.revise(message, { text, blocks, metadata, via: 'chat.update' });
  return { channel: channel.id, ts: message.ts, text, message: messageJson(world, message) };
}

function postEphemeral(args: Json, { world, takePost }: MethodContext): Json {
  const channel = postingChannel(world, { channel: world.channel(str(args.channel))?.id ?? '' });
  const user = world.users.get(str(args.user));
  if (!user || user.deactivated || !channel.members.has(user.id))
    throw new SlackRefusal('user_not_in_channel');
  const content = postableContent(world, args, LIMITS.messageText);
  takePost(channel.id);
  return { message_ts: addEphemeral(world, channel.id, user.id, content) };
}

/** Shows a message to one person and returns its timestamp. */
export function addEphemeral(
  world: World,
  channel: string,
  user: string,
  content: { text: string; blocks: Block[] },
): string {
  const ts = world.nextTs();
  world.ephemerals.push({ ...content, channel, user, ts, at: world.now() });
  world.changed();
  return ts;
}

function deleteMessage(args: Json, { world }: MethodContext): Json {
  const channel = knownChannel(world, args);
  const message = existingMessage(world, channel, str(args.ts));
  if (message.user !== world.workspace.botUserId) throw new SlackRefusal('cant_delete_message');
  world.remove(message, 'chat.delete');
  return { channel: channel.id, ts: message.ts };
}
