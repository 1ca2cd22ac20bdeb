import type { ErrorCode } from '../errors.ts';
import type { DisableAnswer, DisableInput } from '../records/stop.ts';

/** What the switch's process needs to know; sent, not put in its environment, where others could read it. */
export interface SwitchOptions {
  databaseUrl: string;
  host: string;
  /** 0 takes a free one. */
  port: number;
  logLevel: string;
  /** For which names it answers, as the API does. */
  publicUrl: string;
  allowedHosts: readonly string[];
  trustProxy: readonly string[];
}

/** A failure on its way to the other process. */
export interface Refusal {
  code: ErrorCode;
  message: string;
  details: Readonly<Record<string, unknown>>;
}

export type ToSwitch =
  | { kind: 'start'; options: SwitchOptions }
  | { kind: 'pull'; id: number; actor: string; input: DisableInput }
  /** The installation is reached under another name now. */
  | { kind: 'reached'; publicUrl: string };

export type FromSwitch =
  | { kind: 'listening'; url: string }
  /** It cannot start; it ends itself. */
  | { kind: 'failed'; refusal: Refusal; busyPort: boolean }
  /** At once, before anything is asked of the database: it lives. */
  | { kind: 'taken'; id: number }
  | { kind: 'pulled'; id: number; answer: DisableAnswer }
  | { kind: 'refused'; id: number; refusal: Refusal };
