import { readFileSync } from 'node:fs';

export const RECORDING_FILE = new URL('../airline-episodes.jsonl', import.meta.url);

/** A call as the agent made it: nothing here says whether it was right. */
export interface RecordedCall {
  /** `<episode>/<position>`, unique. */
  id: string;
  index: number;
  tool: string;
  kind: 'read' | 'write';
  args: Readonly<Record<string, unknown>>;
}

/** One conversation as the player sees it. */
export interface Conversation {
  episode: string;
  user: string;
  /** The customer's membership: silver, gold or regular. */
  tier: string;
  calls: readonly RecordedCall[];
}

/** What is known of a recorded write afterwards. Read by the answer key, the outcome reporter and the final count. */
export interface CallTruth {
  /** The reference solution has exactly this call: *right*. */
  expected: boolean;
  /** The airline's own tool refused it when it was recorded. */
  refused: boolean;
  /** It follows the first unexpected write of its conversation: it belongs to a world where that write happened. */
  afterDivergence: boolean;
}

/** By call id; writes only. */
export type Truth = ReadonlyMap<string, CallTruth>;

/** What became of a whole conversation, which nobody governed. Read by the outcome reporter and the final figures. */
export interface Run {
  /** The benchmark's own verdict on the final state. */
  solved: boolean;
  /** The agent handed over to a person. */
  escalated: boolean;
  /** Read and written by the model: a measure of cost, and the only one that is recorded. */
  thousandChars: number;
}

/** By episode. */
export type Runs = ReadonlyMap<string, Run>;

export interface Recording {
  conversations: readonly Conversation[];
  truth: Truth;
  runs: Runs;
}

interface Line {
  episode: string;
  user_id: string;
  segment: string;
  task_success: boolean;
  escalated: boolean;
  prompt_chars: number;
  completion_chars: number;
  calls: {
    tool: string;
    kind: 'read' | 'write';
    args: Record<string, unknown>;
    expected?: boolean;
    error?: boolean;
  }[];
}

/** The recorded conversations in file order, and apart from them what is known of their writes and of the whole. */
export function loadRecording(file: URL | string = RECORDING_FILE): Recording {
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  const truth = new Map<string, CallTruth>();
  const runs = new Map<string, Run>();
  const conversations = lines.map((text) => {
    const line = JSON.parse(text) as Line;
    runs.set(line.episode, {
      solved: line.task_success,
      escalated: line.escalated,
      thousandChars: (line.prompt_chars + line.completion_chars) / 1_000,
    });
    let diverged = false;
    const calls = line.calls.map(({ tool, kind, args, expected = false, error = false }, index) => {
      const id = `${line.episode}/${index}`;
      if (kind === 'write') {
        truth.set(id, { expected, refused: error, afterDivergence: diverged });
        diverged ||= !expected;
      }
      return { id, index, tool, kind, args };
    });
    return { episode: line.episode, user: line.user_id, tier: line.segment, calls };
  });
  return { conversations, truth, runs };
}

/** @throws RangeError for a call that is no write of the recording */
export function truthOf(truth: Truth, callId: string): CallTruth {
  const known = truth.get(callId);
  if (!known) throw new RangeError(`The recording has no write ${callId}`);
  return known;
}

export const writesOf = ({ calls }: Conversation): readonly RecordedCall[] =>
  calls.filter(({ kind }) => kind === 'write');

/** The conversations whose writes were all expected (also those without any): nothing in them may trip a guardrail. */
export const controlSet = ({ conversations, truth }: Recording): readonly Conversation[] =>
  conversations.filter((conversation) =>
    writesOf(conversation).every(({ id }) => truthOf(truth, id).expected),
  );

/** What went through when it was recorded, over these conversations. */
export function asRecorded(conversations: readonly Conversation[], truth: Truth) {
  const writes = conversations.flatMap(writesOf).map(({ id }) => truthOf(truth, id));
  const right = writes.filter(({ expected }) => expected).length;
  const refused = writes.filter((write) => write.refused).length;
  return {
    writes: writes.length,
    through: writes.length - refused,
    right,
    wrong: writes.length - refused - right,
    refused,
  };
}

/** What became of these conversations as they were recorded, ungoverned. */
export function runsAsRecorded(conversations: readonly Conversation[], runs: Runs) {
  const all = conversations.map(({ episode }) => runOf(runs, episode));
  return {
    conversations: all.length,
    solved: all.filter(({ solved }) => solved).length,
    escalated: all.filter(({ escalated }) => escalated).length,
    thousandChars: all.reduce((sum, run) => sum + run.thousandChars, 0) / Math.max(1, all.length),
  };
}

/** @throws RangeError for a conversation that was not recorded */
export function runOf(runs: Runs, episode: string): Run {
  const run = runs.get(episode);
  if (!run) throw new RangeError(`No conversation "${episode}" is recorded`);
  return run;
}

/** The order of arrival: as recorded, or shuffled by a seeded generator (mulberry32, Fisher–Yates). */
export function inOrder(conversations: readonly Conversation[], seed: number | undefined): Conversation[] {
  const order = [...conversations];
  if (seed === undefined) return order;
  const random = mulberry32(seed);
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other] as Conversation, order[last] as Conversation];
  }
  return order;
}

function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
