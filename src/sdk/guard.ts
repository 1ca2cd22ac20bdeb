import { randomUUID } from 'node:crypto';
import { v7 } from 'uuid';
import { isDenied, isErrorCode, UNNAMED_ERROR } from '../domain/action.ts';
import type { Action, Asked, Begun, Completion, Credential } from './actions.ts';
import type { Calls } from './calls.ts';
import { Denied, PortcullisError, TooLate } from './errors.ts';
import { omitted, recordable } from './recordable.ts';

/** What the service answers to a report whose result it cannot keep. */
const RESULT_REFUSED = new Set(['args_not_exact', 'body_too_large', 'invalid_input']);

/** What the guarded function gets besides its arguments. */
export interface Permit {
  actionId: string;
  /** For writes: send it to the tool. */
  credential?: Credential;
  /** People changed the arguments: the model should be told, or it may ask for its own ones again. */
  edited: boolean;
  /** Aborted when the caller gives up. */
  signal: AbortSignal;
}

/** What one call says about itself. */
export interface GuardedCall {
  /** The conversation or customer it is about. */
  subject: string;
  reason?: string;
  context?: Readonly<Record<string, unknown>>;
  assertion?: string;
  behind?: string | readonly string[];
  links?: readonly string[];
  /** The same key is the same action; default: a new one. */
  idempotencyKey?: string;
  signal?: AbortSignal;
}

export interface GuardOptions {
  /** The tool's own short code for a failure, never a message; default: its `code`, else `tool_failed`. */
  errorCode?: (error: unknown) => string;
  /**
   * Whether the write may have landed although the function failed (e.g. its answer was lost). Nothing is reported
   * then, and the action becomes `unknown`, which people see. Default: never.
   */
  uncertain?: (error: unknown) => boolean;
  /** The write was done, but reporting it failed; default: a process warning. */
  onReportFailed?: (error: unknown, actionId: string) => void;
  /** Told of every state on the way; for logs and tests. */
  onAction?: (action: Action) => void;
}

/**
 * Wraps a tool: asks, waits for people, begins, calls it with a credential for this action, and reports. Whatever the tool
 * returns is handed on as it is; what of it cannot be recorded is left out of the report, with a note that says why.
 */
export type Guard = <Args extends Readonly<Record<string, unknown>>, Result>(
  tool: string,
  fn: (args: Args, permit: Permit) => Promise<Result>,
  options?: GuardOptions,
) => (args: Args, call: GuardedCall) => Promise<Result>;

/** The guard over a client. The guarded function @throws Denied, TooLate, PortcullisError, or what `fn` throws */
export function makeGuard(client: Calls): Guard {
  return (tool, fn, options = {}) =>
    async (args, { signal = new AbortController().signal, ...call }) => {
      const executionId = randomUUID();
      const question = { idempotencyKey: v7(), ...call, tool, args, executionId };
      let sentMs = performance.now();
      const asked = await client.ask(question, signal);
      options.onAction?.(asked);
      const decided = await untilDecided(client, asked, signal);
      if (decided !== asked) options.onAction?.(decided);
      assertAllowed(decided);
      if (decided.kind === 'read') return fn(args, { actionId: decided.id, edited: false, signal });
      let begun = begunAlready(asked);
      if (!begun) {
        sentMs = performance.now();
        begun = await client.begin(decided.id, executionId, decided.approval?.round, signal);
        options.onAction?.(begun);
      }
      // What people approved is what is done: their changed arguments have passed the tool's schema.
      const approved = (begun.args ?? args) as typeof args;
      return execute(client, { fn, args: approved, begun, executionId, sentMs, signal, options });
    };
}

const begunAlready = ({ startBy, ...action }: Asked): Begun | undefined =>
  startBy === undefined ? undefined : { ...action, startBy };

/** Whoever stops waiting takes the question back: nobody is asked in vain. */
async function untilDecided(client: Calls, asked: Asked, signal: AbortSignal): Promise<Action> {
  if (asked.state !== 'pending') return asked;
  try {
    return await client.wait(asked.id, signal);
  } catch (error) {
    if (signal.aborted) await client.withdraw(asked.id, 'the agent stopped waiting').catch(() => undefined);
    throw error;
  }
}

function assertAllowed(action: Action): void {
  if (!isDenied(action.state)) return;
  throw new Denied({
    state: action.state,
    actionId: action.id,
    decidedBy: action.decidedBy,
    personReason: action.decidedBy === 'person' ? action.denyReason : undefined,
    because: action.supersededBecause,
    reasons: action.reasons,
  });
}

interface Execution<Args, Result> {
  fn: (args: Args, permit: Permit) => Promise<Result>;
  args: Args;
  begun: Begun;
  executionId: string;
  /** Monotonic, from before the request that began it was sent. */
  sentMs: number;
  signal: AbortSignal;
  options: GuardOptions;
}

async function execute<Args, Result>(
  client: Calls,
  { fn, args, begun, executionId, sentMs, signal, options }: Execution<Args, Result>,
): Promise<Result> {
  const report = async (completion: Omit<Completion, 'executionId'>) => {
    await complete(client, begun.id, { executionId, ...completion }).catch((error: unknown) => {
      (options.onReportFailed ?? warn)(error, begun.id);
    });
  };
  const { id: actionId, credential } = begun;
  const edited = begun.args !== undefined;
  if (signal.aborted) {
    await report({ ok: false, error: 'aborted_before_start' });
    throw signal.reason;
  }
  if (isTooLate(begun, sentMs)) {
    await report({ ok: false, error: 'too_late_to_start' });
    throw new TooLate(actionId);
  }
  let result: Result;
  try {
    result = await fn(args, { actionId, credential, edited, signal });
  } catch (error) {
    if (!options.uncertain?.(error)) await report({ ok: false, error: codeOf(error, options) });
    throw error;
  }
  const recorded = recordable(result);
  await report({ ok: true, ...(recorded === undefined ? {} : { result: recorded }) });
  return result;
}

/** What was done is recorded as done: a result that the service does not take is left out, with its reason. */
async function complete(client: Calls, actionId: string, completion: Completion): Promise<void> {
  try {
    await client.complete(actionId, completion);
  } catch (error) {
    const isRefused = error instanceof PortcullisError && RESULT_REFUSED.has(error.code);
    if (!isRefused || completion.result === undefined) throw error;
    const note = omitted(`Portcullis does not take the result: ${error.message}`);
    await client.complete(actionId, { ...completion, result: note });
  }
}

/** On both clocks: the wall clock against the service's word, the monotonic one against the time it allowed. */
function isTooLate({ startBy, execution }: Begun, sentMs: number): boolean {
  const untilMs = Date.parse(startBy);
  const allowedMs = execution ? untilMs - Date.parse(execution.beganAt) : 0;
  return Date.now() >= untilMs || performance.now() - sentMs >= allowedMs;
}

function codeOf(error: unknown, { errorCode }: GuardOptions): string {
  const code = errorCode ? errorCode(error) : (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' && isErrorCode(code) ? code : UNNAMED_ERROR;
}

function warn(error: unknown, actionId: string): void {
  const why = error instanceof Error ? error.message : String(error);
  process.emitWarning(`What came of action ${actionId} could not be reported: ${why}`, 'PortcullisWarning');
}
