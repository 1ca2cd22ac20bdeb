import type { DemoOptions } from './options.ts';
import { asRecorded, type Conversation, type Truth } from './recording.ts';
import type { Screen } from './screen.ts';
import { DESK_WORK_MS } from './setup.ts';

/** What is recorded, what is set, who stands in for whom. Said before anything happens. */
export function showIntro(
  screen: Screen,
  conversations: readonly Conversation[],
  truth: Truth,
  options: DemoOptions,
): void {
  const { writes, through, right, wrong, refused } = asRecorded(conversations, truth);
  const seconds = Math.round((90 * options.dayMs) / 1_000);
  const order = options.seed === undefined ? 'as recorded' : `shuffled by seed ${options.seed}`;
  screen.heading(`Portcullis: an airline's AI agent, 90 days in ${seconds} s`);
  screen.line('Portcullis decides what an AI agent may do with its tools. A new permission is');
  screen.line('given step by step, and taken back by itself when the evidence turns bad.');
  screen.line();
  screen.item(
    'Recorded',
    `${conversations.length} conversations of a gpt-4o agent at an airline desk (tau-bench, MIT licence)${options.control ? ', only those whose writes were all expected' : ''}: ${writes} writes (bookings, changes, cancellations). The airline's own tool refused ${refused}; ${through} went through, ${right} right and ${wrong} wrong. Right means: exactly a call of the reference solution.`,
  );
  screen.item(
    'Set by us',
    `A day lasts ${options.day}. Order of arrival ${order}, spread evenly over 90 days. The desk takes ${DESK_WORK_MS} ms for a write. People, test group and the 5 % limit are the example's; which conversations get the new permission is drawn anew at each start.`,
  );
  screen.item(
    'Stand-ins',
    'The "answer key" answers for the people who are asked. It knows the right calls and answers at once; a real person is slower and errs. A stand-in for the release manager approves every gate whose other conditions hold.',
  );
  screen.item(
    'Not known',
    'A recording cannot react to a denial. What follows the first unexpected write of a conversation is replayed but counted apart. Nothing here says how fast the airline is, or how customers would have fared.',
  );
  screen.line();
  screen.item(
    'The question',
    'May cancellations run unasked? Release 1 asks a person for every write. Release 2, the candidate, lets cancellations run unasked: from day 31, in a test group of silver customers. It is taken back where more than 5 % of conversations have a wrong one.',
  );
}
