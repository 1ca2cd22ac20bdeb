import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { type Json, SlackRefusal } from './json.ts';

/** A block as Slack stores it: with a `block_id`, given or made up. */
export type Block = Json & { type: string; block_id: string };

/** A person (or bot) of the workspace. */
export type SlackUser = {
  id: string;
  name: string;
  email?: string;
  teamId: string;
  deactivated: boolean;
  guest: boolean;
  /** In an Enterprise Grid organization: every workspace the user is of. */
  workspaces?: readonly string[];
  tz: string;
  presence: 'active' | 'away';
};
/** What a test says of a user; the rest has defaults. */
export type UserSeed = Partial<SlackUser> & { id: string };

/** A channel, or a direct conversation (`isIm`). */
export type SlackChannel = {
  id: string;
  name: string;
  archived: boolean;
  isPrivate: boolean;
  isIm: boolean;
  members: Set<string>;
};
/** What a test says of a channel. The bot is a member unless `botIsMember` is false. */
export type ChannelSeed = {
  id: string;
  name: string;
  archived?: boolean;
  isPrivate?: boolean;
  members?: readonly string[];
  botIsMember?: boolean;
};
/** A user group and who is in it. */
export type UserGroupSeed = { id: string; users: readonly string[]; disabled?: boolean };

/** What a message said at one time. */
export type Revision = { text: string; blocks: Block[]; metadata?: Json; at: number; via: string };
/** A message as a test reads it: a snapshot; `revisions` holds every state it had, the newest last. */
export type Message = Revision & {
  channel: string;
  ts: string;
  user: string;
  botId?: string;
  threadTs?: string;
  edited: boolean;
  deleted: boolean;
  revisions: Revision[];
};
/** A message that only `user` sees. */
export type Ephemeral = {
  channel: string;
  ts: string;
  user: string;
  text: string;
  blocks: Block[];
  at: number;
};
/** A modal or Home tab. `open` turns false when it is submitted, closed or cleared. */
export type View = {
  id: string;
  type: 'modal' | 'home';
  userId: string;
  hash: string;
  open: boolean;
  rootViewId: string;
  previousViewId: string | null;
  definition: Json;
  blocks: Block[];
  at: number;
};
/** Ids and names of the one workspace and of the app under test. */
export type Workspace = {
  team: { id: string; domain: string; name: string };
  appId: string;
  botId: string;
  botUserId: string;
};

const WORKSPACE: Workspace = {
  team: { id: 'T0FAKE', domain: 'fake', name: 'Fake Workspace' },
  appId: 'A0FAKE',
  botId: 'B0FAKE',
  botUserId: 'U0BOT',
};

/** What a fake workspace starts with. `now` may be a hand-moved clock, for expiry. */
export type WorldSeed = {
  users?: readonly UserSeed[];
  channels?: readonly ChannelSeed[];
  usergroups?: readonly UserGroupSeed[];
  now?: () => number;
};

/** Everything the fake Slack remembers. `changes` emits 'change' after every write. */
export class World {
  readonly workspace = WORKSPACE;
  readonly users = new Map<string, SlackUser>();
  readonly channels = new Map<string, SlackChannel>();
  readonly usergroups = new Map<string, UserGroupSeed>();
  readonly messages: Message[] = [];
  readonly ephemerals: Ephemeral[] = [];
  readonly views = new Map<string, View>();
  readonly changes = new EventEmitter();
  readonly now: () => number;
  private lastTsMicros = 0;

  constructor(seed: WorldSeed = {}) {
    this.now = seed.now ?? Date.now;
    this.changes.setMaxListeners(0);
    this.addUser({ id: WORKSPACE.botUserId, name: 'portcullis' });
    for (const user of seed.users ?? []) this.addUser(user);
    for (const channel of seed.channels ?? []) this.addChannel(channel);
    for (const group of seed.usergroups ?? []) this.usergroups.set(group.id, group);
  }

  /** Adds a user, or changes one that is there. */
  addUser(seed: UserSeed): SlackUser {
    const user: SlackUser = {
      name: seed.id.toLowerCase(),
      teamId: WORKSPACE.team.id,
      deactivated: false,
      guest: false,
      tz: 'Europe/Berlin',
      presence: 'active',
      ...this.users.get(seed.id),
      ...seed,
    };
    this.users.set(user.id, user);
    return user;
  }

  /** Adds a channel, or replaces one that is there. */
  addChannel(seed: ChannelSeed): SlackChannel {
    const members = new Set(seed.members ?? []);
    if (seed.botIsMember !== false) members.add(WORKSPACE.botUserId);
    const { id, archived = false, isPrivate = false } = seed;
    const channel = { id, name: seed.name.replace(/^#/, ''), archived, isPrivate, isIm: false, members };
    this.channels.set(id, channel);
    return channel;
  }

  /** The direct conversation between the bot and these people; made if there is none. */
  openIm(userIds: readonly string[]): SlackChannel {
    const members = new Set([...userIds, WORKSPACE.botUserId]);
    const same = (channel: SlackChannel) =>
      channel.isIm && channel.members.size === members.size && userIds.every((id) => channel.members.has(id));
    const found = [...this.channels.values()].find(same);
    if (found) return found;
    const id = userIds.length === 1 ? `D0${userIds[0]}` : this.freshId('G');
    const channel = { id, name: '', archived: false, isPrivate: true, isIm: true, members };
    this.channels.set(id, channel);
    return channel;
  }

  /** The channel of this id, `#name` or name. */
  channel(idOrName: string): SlackChannel | undefined {
    const name = idOrName.replace(/^#/, '');
    return (
      this.channels.get(idOrName) ??
      [...this.channels.values()].find((each) => !each.isIm && each.name === name)
    );
  }

  /** The user, or the refusal that Slack gives for an unknown one. */
  user(id: string): SlackUser {
    const user = this.users.get(id);
    if (!user) throw new SlackRefusal('user_not_found');
    return user;
  }

  /** The stored message, also a deleted one. */
  message(channelId: string, ts: string): Message | undefined {
    return this.messages.find((each) => each.channel === channelId && each.ts === ts);
  }

  /** Stores a new message with its first revision. */
  post(fields: Omit<Revision, 'at'> & Pick<Message, 'channel' | 'user' | 'botId' | 'threadTs'>): Message {
    const { text, blocks, metadata, via, ...rest } = fields;
    const revision = { text, blocks, metadata, via, at: this.now() };
    const ts = this.nextTs();
    const message = { ...rest, ...revision, ts, edited: false, deleted: false, revisions: [revision] };
    this.messages.push(message);
    this.changed();
    return message;
  }

  /** Stores a new state of a message and keeps the older ones. */
  revise(message: Message, next: Omit<Revision, 'at'>): void {
    const revision = { ...next, at: this.now() };
    Object.assign(message, revision);
    message.revisions.push(revision);
    this.changed();
  }

  /** Takes a message away; it stays readable to tests as `deleted`. */
  remove(message: Message, via: string): void {
    message.deleted = true;
    this.revise(message, { text: '', blocks: [], via });
  }

  /** Tells whoever waits that something was written. */
  changed(): void {
    this.changes.emit('change');
  }

  /** A timestamp in Slack's form, never the same twice. */
  nextTs(): string {
    this.lastTsMicros = Math.max(this.now() * 1000, this.lastTsMicros + 1);
    const seconds = Math.floor(this.lastTsMicros / 1_000_000);
    return `${seconds}.${String(this.lastTsMicros % 1_000_000).padStart(6, '0')}`;
  }

  /** A new id with this first letter. */
  freshId(prefix: string): string {
    return prefix + randomBytes(5).toString('hex').toUpperCase();
  }
}
