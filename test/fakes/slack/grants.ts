import { randomBytes } from 'node:crypto';
import { SlackRefusal } from './json.ts';
import type { World } from './world.ts';

/** What a `response_url` may write to. */
export type ResponseTarget = { channel: string; user: string; messageTs?: string; ephemeralTs?: string };
/** A `response_url` that still works. */
export type ResponseGrant = ResponseTarget & { issuedAt: number; uses: number };

const TRIGGER_LIFE_MS = 3000;
const RESPONSE_LIFE_MS = 30 * 60_000;
const RESPONSE_USES = 5;

/** The short-lived permissions that come with an interaction: trigger ids and response urls. */
export class Grants {
  private readonly triggers = new Map<
    string,
    { userId: string; issuedAt: number; used: boolean; viewId?: string }
  >();
  private readonly responses = new Map<string, ResponseGrant>();

  constructor(private readonly world: World) {}

  /** A trigger id for this user; `viewId` when it comes from inside a modal. */
  issueTrigger(userId: string, viewId?: string): string {
    const id = `${this.world.now()}.${this.triggers.size + 1}.${randomBytes(16).toString('hex')}`;
    this.triggers.set(id, { userId, issuedAt: this.world.now(), used: false, viewId });
    return id;
  }

  /** Uses a trigger id up; Slack takes each once and within three seconds. */
  useTrigger(id: string): { userId: string; viewId?: string } {
    const trigger = this.triggers.get(id);
    if (!trigger) throw new SlackRefusal('invalid_trigger_id');
    if (trigger.used) throw new SlackRefusal('exchanged_trigger_id');
    if (this.world.now() - trigger.issuedAt > TRIGGER_LIFE_MS) throw new SlackRefusal('expired_trigger_id');
    trigger.used = true;
    return trigger;
  }

  /** A new response url path, without its leading slash. */
  issueResponse(target: ResponseTarget): string {
    const path = `actions/${this.world.workspace.team.id}/${randomBytes(12).toString('hex')}`;
    this.responses.set(path, { ...target, issuedAt: this.world.now(), uses: 0 });
    return path;
  }

  /** Counts one use of a response url; five in thirty minutes are allowed. */
  useResponse(path: string): ResponseGrant {
    const grant = this.responses.get(path);
    if (!grant || this.world.now() - grant.issuedAt > RESPONSE_LIFE_MS) throw new SlackRefusal('expired_url');
    if (grant.uses >= RESPONSE_USES) throw new SlackRefusal('used_url');
    grant.uses += 1;
    return grant;
  }
}
