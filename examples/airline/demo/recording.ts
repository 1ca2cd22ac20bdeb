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

export interface Recording {
  conversations: readonly Conversation[];
  truth: Truth;
}

interface Line {
  episode: string;
  user_id: string;
  segment: string;
  calls: {
    tool: string;
    kind: 'read' | 'write';
    args: Record<string, unknown>;
    expected?: boolean;
    error?: boolean;
  }[];
}

/** The recorded conversations in file order, and apart from them what is known of their writes. */
export function loadRecording(file: URL | string = RECORDING_FILE): Recording {
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  const truth = new Map<string, CallTruth>();
  const conversations = lines.map((text) => {
    const line = JSON.parse(text) as Line;
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
  return { conversations, truth };
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
