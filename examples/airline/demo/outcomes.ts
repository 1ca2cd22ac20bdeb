import type { Api } from './api.ts';
import type { Done } from './player.ts';
import { type Runs, runOf, type Truth, truthOf } from './recording.ts';

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
 * Reports outcomes right after the write: how long it waited, whether it has to be corrected, each one that the airline's own
 * tool refused, of each automatic cancellation whether it was wrong, and once a conversation what the model read and wrote and
 * whether it was handed over. Denials are counted by the service itself.
 */
export function createReporter(api: Api, truth: Truth, runs: Runs) {
  const told = new Set<string>();
  const ofConversation = (episode: string): [string, number][] => {
    if (told.has(episode)) return [];
    told.add(episode);
    const { thousandChars, escalated } = runOf(runs, episode);
    return [
      ['cost', Math.round(thousandChars)],
      ['handed-over', Number(escalated)],
    ];
  };
  return async (done: Done): Promise<AutomaticCancellation | undefined> => {
    const { callId, conversation, action, refused, waitedMs } = done;
    const { expected, afterDivergence } = truthOf(truth, callId);
    const isAutomatic = isAutomaticCancellation(done);
    const values: [string, number][] = [
      ['latency', waitedMs],
      ...(refused ? [['refused-write', 1] as [string, number]] : ofConversation(conversation.episode)),
      ...(refused ? [] : [['corrected', expected ? 0 : 1] as [string, number]]),
      // Where the airline's tool refused, nothing was cancelled, so nothing wrongly.
      ...(isAutomatic ? [['wrong-cancellation', expected || refused ? 0 : 1] as [string, number]] : []),
    ];
    await api.post('/v1/outcomes', {
      outcomes: values.map(([metric, value]) => ({
        id: `${action.id}/${metric}`,
        action: action.id,
        metric,
        value,
      })),
    });
    if (!isAutomatic || refused) return undefined;
    return {
      callId,
      actionId: action.id,
      segment: action.segment ?? 'default',
      wrong: !expected,
      afterDivergence,
    };
  };
}
