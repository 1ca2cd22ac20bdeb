import { isDenied } from '../domain/action.ts';
import { followEvents } from '../events/follow.ts';
import type { Action, Asked, Begun } from './actions.ts';
import type { Calls } from './calls.ts';
import { Denied, PortcullisError } from './errors.ts';
import { type Guard, makeGuard } from './guard.ts';
import { Http, type HttpOptions, isRefusal } from './http.ts';

const WAIT_S = 30;
const WAIT_SLACK_MS = 10_000;

export interface PortcullisOptions extends HttpOptions {
  /** The build that asks: model, prompt, code. */
  agentVersion: string;
}

/** What an agent does with Portcullis. */
export interface Portcullis extends Calls {
  guard: Guard;
}

/** A client of one service for one agent. */
export function createPortcullis({ agentVersion, ...options }: PortcullisOptions): Portcullis {
  const http = new Http(options);
  const client: Calls = {
    async ask({ executionId, ...question }, signal) {
      const path = executionId === undefined ? '/v1/actions' : '/v1/actions?begin=true';
      const body = { agentVersion, ...question, ...(executionId === undefined ? {} : { executionId }) };
      return http
        .send<Asked>({ method: 'POST', path, body, signal, answers: [403] })
        .catch((error: unknown) => Promise.reject(stoppedAs(error)));
    },
    async wait(id, signal) {
      for (;;) {
        const action = await http.send<Action>({
          method: 'GET',
          path: `/v1/actions/${id}?wait=${WAIT_S}s`,
          signal,
          timeoutMs: WAIT_S * 1_000 + WAIT_SLACK_MS,
          patienceMs: Number.POSITIVE_INFINITY,
        });
        if (action.state !== 'pending') return action;
      }
    },
    async begin(id, executionId, round = 0, signal) {
      const body = { executionId, ...(round > 0 ? { round } : {}) };
      return http
        .send<Begun>({ method: 'POST', path: `/v1/actions/${id}/begin`, body, signal })
        .catch((error: unknown) => Promise.reject(stoppedAs(error, id)));
    },
    complete: (id, body) => http.send({ method: 'POST', path: `/v1/actions/${id}/complete`, body }),
    withdraw: (id, reason) =>
      http.send({ method: 'POST', path: `/v1/actions/${id}/withdraw`, body: reason ? { reason } : {} }),
    outcome: (outcomes) =>
      http.send({ method: 'POST', path: '/v1/outcomes', body: { outcomes: [outcomes].flat() } }),
    events: ({ action, kinds, after, signal } = {}) => {
      const query = new URLSearchParams({
        ...(action && { action }),
        ...(kinds && { kinds: kinds.join(',') }),
      });
      return followEvents({
        open: (lastEventId, until) => http.follow(`/v1/events?${query}`, lastEventId, until),
        isFinal: isRefusal,
        after,
        signal,
      });
    },
  };
  return { ...client, guard: makeGuard(client) };
}

/** A stop, by the switch or a rollback, and no judgement of this action: the same may be asked anew later. */
export const isStop = (error: unknown): boolean =>
  error instanceof Denied ? error.stopped : error instanceof PortcullisError && error.code === 'stopped';

/** A begin that was refused because the action ended, as `Denied` with the state it ended in. */
function stoppedAs(error: unknown, actionId?: string): unknown {
  if (!(error instanceof PortcullisError)) return error;
  const { state, because } = error.details;
  if (typeof state !== 'string' || state === 'denied' || !isDenied(state)) return error;
  const why = typeof because === 'string' ? because : undefined;
  return new Denied({ state, actionId, because: why });
}
