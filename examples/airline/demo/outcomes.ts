import type { Api } from './api.ts';
import type { Done } from './player.ts';
import { type Truth, truthOf } from './recording.ts';

const CANCEL = 'cancel_reservation';

/** A cancellation that policy allowed and the desk did, with what the outcome reporter said of it. */
export interface AutomaticCancellation {
  callId: string;
  actionId: string;
  segment: string;
  wrong: boolean;
  afterDivergence: boolean;
}

const isAutomaticCancellation = ({ action }: Done): boolean =>
  action.tool === CANCEL && action.decidedBy === 'policy';

/**
 * Reports outcomes right after the write: of each automatic cancellation whether it was wrong, and each write that
 * the airline's own tool refused. Denials are counted by the service itself.
 */
export function createReporter(api: Api, truth: Truth) {
  return async (done: Done): Promise<AutomaticCancellation | undefined> => {
    const { callId, action, refused } = done;
    const send = (metric: string, value: number) =>
      api.post('/v1/outcomes', {
        outcomes: [{ id: `${action.id}/${metric}`, action: action.id, metric, value }],
      });
    if (refused) await send('refused-write', 1);
    if (!isAutomaticCancellation(done)) return undefined;
    const { expected, afterDivergence } = truthOf(truth, callId);
    // Where the airline's tool refused, nothing was cancelled, so nothing wrongly.
    await send('wrong-cancellation', expected || refused ? 0 : 1);
    if (refused) return undefined;
    return {
      callId,
      actionId: action.id,
      segment: action.segment ?? 'default',
      wrong: !expected,
      afterDivergence,
    };
  };
}
