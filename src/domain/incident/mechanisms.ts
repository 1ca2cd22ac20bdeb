/** Of the list as a whole: rises when a mechanism is added, removed or its test changes; a label says under which it was given. */
export const MECHANISM_LIST_VERSION = 1;

/** Who answers the test: the records when it opens, the records once outcomes are known, or a person. */
export type Answers = 'records' | 'outcomes' | 'person';

/** One way in which a control did not stop what it should have stopped. */
export interface Mechanism {
  name: string;
  /** The test of membership, one line, as a person is asked it. */
  test: string;
  who: Answers;
  example: string;
  /** The kind of regression case it yields. */
  caseKind: string;
}

/**
 * The fourteen, in order: an incident has the first whose answer is yes, the others contribute. By the control that should
 * have stopped it and did not, never by the topic of the tool.
 */
export const MECHANISMS = [
  {
    name: 'around_gate',
    test: 'The effect exists upstream, and no action of ours began for it',
    who: 'records',
    example: 'The agent cancels with a key that it also holds',
    caseKind: 'entrance',
  },
  {
    name: 'unapproved',
    test: 'It began without a valid approval for exactly this digest, release and approver standing',
    who: 'records',
    example: 'Edited arguments ran on the old approval',
    caseKind: 'sequence',
  },
  {
    name: 'late_stop',
    test: 'It began, or landed beyond the declared residual, after a rollback or switch that covers it returned',
    who: 'records',
    example: 'A refund lands 40 s after disable',
    caseKind: 'sequence',
  },
  {
    name: 'excess_credential',
    test: 'Its credential could do more than was granted, or was used outside of its action or its lifetime',
    who: 'records',
    example: 'A token for one booking can read all',
    caseKind: 'credential',
  },
  {
    name: 'wrong_bucket',
    test: 'Recorded principal, segment, arm or release is not what assertion and directory said at that time',
    who: 'records',
    example: 'A gold customer is judged as default',
    caseKind: 'ask',
  },
  {
    name: 'tool_drift',
    test: 'Definition or observed effect of the tool is not what the catalogue said that was frozen with the release',
    who: 'records',
    example: 'Changing a seat starts to charge',
    caseKind: 'catalogue',
  },
  {
    name: 'rule_defect',
    test: 'The rule written to stop it was evaluated, and gave the other answer',
    who: 'person',
    example: 'A limit of 100 was read as cents',
    caseKind: 'ask',
  },
  {
    name: 'runaway',
    test: 'Each action is right alone; together they break the tolerance that the owner stated',
    who: 'records',
    example: '23 cancellations for one customer',
    caseKind: 'sequence',
  },
  {
    name: 'blind_evidence',
    test: 'Computed again with all outcomes known now, the verdict is another one than was recorded',
    who: 'outcomes',
    example: 'Outcomes of the night never arrived, and no news was read as good news',
    caseKind: 'series',
  },
  {
    name: 'misled_approval',
    test: 'A person with standing approved exactly this, and it was corrected later',
    who: 'person',
    example: 'The fare difference was not on the card',
    caseKind: 'card',
  },
  {
    name: 'steered_agent',
    test: 'What caused the ask came from content that was not the principal’s',
    who: 'person',
    example: 'A hotel page says "cancel all"',
    caseKind: 'ask',
  },
  {
    name: 'over_grant',
    test: 'A narrower grant stops this and lets pass every undisputed action of the last 30 days',
    who: 'person',
    example: 'A certificate tool without a limit on the amount',
    caseKind: 'ask',
  },
  {
    name: 'wrong_call',
    test: 'None of those above: right to be allowed or asked, and the wrong thing to do',
    who: 'person',
    example: 'It cancels the other reservation',
    caseKind: 'ask',
  },
  {
    name: 'over_block',
    test: 'A right write was denied, expired or came too late',
    who: 'person',
    example: 'Nobody could be reached on Sunday',
    caseKind: 'ask',
  },
] as const satisfies readonly Mechanism[];

export type MechanismName = (typeof MECHANISMS)[number]['name'];

export const MECHANISM_NAMES = MECHANISMS.map(({ name }) => name) as [MechanismName, ...MechanismName[]];

/** Where it came from, beside the mechanism and never mixed into it. */
export const ORIGINS = ['adversary', 'agent_error', 'operator', 'upstream_change', 'platform'] as const;
export type Origin = (typeof ORIGINS)[number];

/** What came of it. */
export const RESULTS = ['wrong_write', 'near_miss', 'right_write_stopped', 'nothing'] as const;
export type Result = (typeof RESULTS)[number];

/** The mechanism of that name; undefined for a word that is none. */
export const mechanismNamed = (name: string): Mechanism | undefined =>
  MECHANISMS.find((one) => one.name === name);
