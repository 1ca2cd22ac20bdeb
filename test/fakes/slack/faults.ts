import type { World } from './world.ts';

/**
 * How a call goes wrong. `hang` never answers and does nothing; `hang-after` does the work and loses
 * the answer; `http` answers that status; `rate-limited` is a 429; `error` is Slack's own refusal.
 */
export type Fault =
  | { kind: 'hang' }
  | { kind: 'hang-after' }
  | { kind: 'http'; status: number }
  | { kind: 'rate-limited'; retryAfter: number }
  | { kind: 'error'; error: string };

/** One post a second for each channel, after `burst` posts at once; and updates of all messages together. */
export type RateLimit = { burst: number; updatesPerMinute?: number };

/** The faults a test asked for, and the rate limit. */
export class Faults {
  private readonly planned: { method: string; fault: Fault; left: number }[] = [];
  private readonly spent = new Map<string, { tokens: number; at: number }>();

  constructor(
    private readonly world: World,
    private readonly rateLimit: RateLimit | undefined,
  ) {}

  /** Lets the next `times` calls of `method` ('*': of any) go wrong. */
  plan(method: string, fault: Fault, times: number): void {
    this.planned.push({ method, fault, left: times });
  }

  /** Forgets what was planned. */
  clear(): void {
    this.planned.length = 0;
  }

  /** The fault for this call, used up by asking. */
  take(method: string): Fault | undefined {
    const plan = this.planned.find(
      (each) => each.left > 0 && (each.method === method || each.method === '*'),
    );
    if (!plan) return undefined;
    plan.left -= 1;
    return plan.fault;
  }

  /** Counts a post in this channel. @throws RateLimited */
  takePost(channelId: string): void {
    if (this.rateLimit) this.take1(channelId, this.rateLimit.burst, 1);
  }

  /** Counts an update. @throws RateLimited */
  takeUpdate(): void {
    const perMinute = this.rateLimit?.updatesPerMinute;
    if (perMinute !== undefined) this.take1('chat.update', perMinute, perMinute / 60);
  }

  private take1(key: string, burst: number, perSecond: number): void {
    const now = this.world.now();
    const last = this.spent.get(key) ?? { tokens: burst, at: now };
    const tokens = Math.min(burst, last.tokens + ((now - last.at) / 1000) * perSecond);
    if (tokens < 1) throw new RateLimited(Math.ceil((1 - tokens) / perSecond));
    this.spent.set(key, { tokens: tokens - 1, at: now });
  }
}

/** Too many, too soon. */
export class RateLimited extends Error {
  constructor(readonly retryAfter: number) {
    super(`retry after ${retryAfter} s`);
  }
}
