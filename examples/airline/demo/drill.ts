import { setTimeout as sleep } from 'node:timers/promises';
import type { Api } from './api.ts';
import type { Calendar } from './calendar.ts';
import type { Player } from './player.ts';
import { AGENT } from './setup.ts';

/** The days whose conversations come together, so that the switch is pulled under load. */
export const BURST: readonly [number, number] = [77, 80];
const OFF_MS = 2_000;
const OPEN_WRITES = 3;
const LOAD_WITHIN_MS = 1_500;
const LOOK_EVERY_MS = 5;
const SCOPE = `agent/${AGENT}`;

/** What came of pulling the switch once. */
export interface Drill {
  day: number;
  /** From the request to the answer `closed`, on this side of the API. */
  disableMs: number;
  /** The part of it that the service measured itself. */
  offAtMs: number;
  state: string;
  /** Asked for and not ended when it was pulled. */
  openWrites: number;
  /** Begun before it closed: these may still land, and the answer names them. */
  inFlight: number;
  /** Pending or approved, ended by the switch. */
  voided: number;
  epochOff: number;
  epochOn: number;
  /** The service's wall clock as the answer came: nothing may have begun after it. */
  closedAt: Date;
  onAt: Date;
}

/** The switch as the player meets it: what it refused is asked again when it is on. */
export class SwitchDrill {
  #on: Promise<void> = Promise.resolve();

  readonly whenOn = (): Promise<void> => this.#on;

  /** Pulls the switch once there is load, and releases it two seconds later. */
  async run(onCall: Api, calendar: Calendar, player: Player): Promise<Drill> {
    await calendar.until(BURST[1]);
    const givenUp = performance.now() + LOAD_WITHIN_MS;
    const loaded = () => player.openWrites >= OPEN_WRITES && player.atDesk > 0;
    while (!loaded() && performance.now() < givenUp) await sleep(LOOK_EVERY_MS);
    const openWrites = player.openWrites;
    const day = calendar.today;
    let release = () => {};
    this.#on = new Promise((resolve) => {
      release = resolve;
    });
    const sentMs = performance.now();
    const answer = await onCall.put<{
      state: string;
      epoch?: number;
      voided: number;
      offAtMs: number;
      inFlight: unknown[];
    }>(`/v1/switches/${SCOPE}`, { disabled: true, reason: 'demo: pulled under load' });
    const disableMs = performance.now() - sentMs;
    const closedAt = new Date();
    await sleep(OFF_MS);
    const onAt = new Date();
    const enabled = await onCall.put<{ epoch?: number }>(`/v1/switches/${SCOPE}`, {
      disabled: false,
      reason: 'demo: released',
    });
    release();
    return {
      day,
      disableMs,
      offAtMs: answer.offAtMs,
      state: answer.state,
      openWrites,
      inFlight: answer.inFlight.length,
      voided: answer.voided,
      epochOff: answer.epoch ?? 0,
      epochOn: enabled.epoch ?? Number.MAX_SAFE_INTEGER,
      closedAt,
      onAt,
    };
  }
}
