import type { Logger } from 'pino';
import type { Clock } from './clock.ts';
import type { Keys } from './credentials/keys.ts';
import type { Database } from './db/database.ts';
import type { Retention } from './domain/retention.ts';
import type { Worlds } from './enforcement/world.ts';
import type { AskWriter } from './records/ask-writer.ts';
import type { AfterBuffer } from './records/record-after.ts';
import type { DisableAnswer, DisableInput } from './records/stop.ts';

/** A process of its own that nothing an agent sends can keep busy. */
export interface SwitchProcess {
  /** Where it listens. */
  readonly url: string;
  /** Whether it runs now; one that died is started again. */
  isUp(): boolean;
  /** Tells it the name under which people reach the service now. */
  reachedAt(publicUrl: string): void;
  /** Drops the gate there; `undefined` when it is not there, or went away: then it is to be done from here. */
  pull(actor: string, input: DisableInput): Promise<DisableAnswer | undefined>;
}

/** What every verb is given. */
export interface Services {
  db: Database;
  clock: Clock;
  /** Milliseconds of one `d`; 24 h unless the installation's `PORTCULLIS_DAY` says otherwise. */
  dayMs: number;
  keys: Keys;
  worlds: Worlds;
  /** How long what grows by the day is kept. */
  retention: Retention;
  asks: AskWriter;
  /** Reads that `record: after` grants let through while the store is down. */
  after?: AfterBuffer;
  log: Logger;
  /** Where people reach the service, for links on cards. */
  publicUrl: string;
  /** Who signs: the `iss` of credentials, receipts and checkpoints. */
  issuer: string;
  /** The switch's own process, tried before this one. */
  switchProcess?: SwitchProcess;
  /** Called after a commit that left something to follow; the dispatcher looks at once. */
  wake(): void;
}
