import type { PortcullisEvent } from '../events/event.ts';
import type { Action, Asked, Begun, Completion, Outcome, Question } from './actions.ts';

export interface EventOptions {
  /** Only events about this action. */
  action?: string;
  /** Whole kinds or their first words: `['action.denied', 'switch']`. */
  kinds?: readonly string[];
  /** The `seq` of the last event that is known; default: what happens from now on. */
  after?: number;
  signal?: AbortSignal;
}

/** The calls of an agent. Every call may be repeated: none does a thing twice. */
export interface Calls {
  /** @throws PortcullisError; a denial is an answer here, not an error */
  ask(question: Question, signal?: AbortSignal): Promise<Asked>;
  /**
   * Waits until people have decided or the question has expired, as long as that takes, also while the service is away:
   * only the signal or a refusal ends it before.
   */
  wait(actionId: string, signal?: AbortSignal): Promise<Action>;
  /**
   * `round` is the action's own (`approval.round`): it says that changed arguments will be used.
   * @throws Denied when a stop came first
   */
  begin(actionId: string, executionId: string, round?: number, signal?: AbortSignal): Promise<Begun>;
  complete(actionId: string, completion: Completion): Promise<Action>;
  withdraw(actionId: string, reason?: string): Promise<Action>;
  outcome(outcomes: Outcome | readonly Outcome[]): Promise<{ recorded: number; repeated: number }>;
  /**
   * What happens to the agent's actions and what is in force for it, as it happens, until the signal ends it: each event
   * once and in order, through lost connections. @throws PortcullisError when the first connection fails or it is refused
   */
  events(options?: EventOptions): AsyncGenerator<PortcullisEvent, void>;
}
