import { MECHANISMS, type MechanismName } from './mechanisms.ts';

/** What the records say of one corrected action when its incident opens. Undefined: they cannot tell. */
export interface ActionFacts {
  action: string;
  /** It reached `executing`. */
  begun: boolean;
  /** A person says that its effect exists upstream. */
  effect?: boolean | undefined;
  /** A right write that was denied or expired. */
  wronglyStopped: boolean;
  decidedBy: 'policy' | 'person' | null;
  /** Whether it had a recorded allow or its whole quorum when it began. */
  confirmed?: boolean | undefined;
  /** A stop that covers it and had returned before it began. */
  stoppedBefore?: string | undefined;
  /** A stop that covers it, beyond whose residual it landed. */
  landedAfter?: string | undefined;
  scopes?: { minted: readonly string[]; granted: readonly string[] } | undefined;
  /** Milliseconds: longest life of a credential of it, and the longest that was granted. */
  lifetime?: { minted: number; granted: number } | undefined;
  /** The segment it was judged in, and what its attributes say by the definitions it was frozen with. */
  segment?: { recorded: string; found: string } | undefined;
  /** Whether segments, metrics and tools still are those that were frozen. */
  sameDefinitions?: boolean | undefined;
  /** Codes of the reasons of its decision. */
  reasons: readonly string[];
  /** Writes of its tool for its subject within a day, and how many its owner says that it tolerates. */
  sequence?: { writes: number; tolerated?: number } | undefined;
  /** The verdict that was recorded then, and what it would have been with what is known now of the days that were ripe. */
  verdicts?: { recorded: string; now: string } | undefined;
}

/** What one test came to: `ask` where only a person can answer; `likely` puts it in front of the others that are asked. */
export interface Finding {
  mechanism: MechanismName;
  answer: 'yes' | 'no' | 'cannot_tell' | 'ask';
  because: string;
  /** The records support it, and a person confirms. */
  likely?: true;
}

type Said = Omit<Finding, 'mechanism'>;
const yes = (because: string): Said => ({ answer: 'yes', because });
const no = (because: string): Said => ({ answer: 'no', because });
const cannotTell = (because: string): Said => ({ answer: 'cannot_tell', because });
const ask = (because: string): Said => ({ answer: 'ask', because });
const likely = (because: string): Said => ({ answer: 'ask', because, likely: true });

/** Beyond this a person is asked about a sequence before all others. */
const MANY = 5;

const ofVerdicts = ({ recorded, now }: NonNullable<ActionFacts['verdicts']>): Said =>
  recorded === now
    ? no(`the verdict was ${now}, and is so with all outcomes known now`)
    : yes(`the verdict was ${recorded}; with all outcomes known now it would have been ${now}`);

const TESTS: Readonly<Record<MechanismName, (facts: ActionFacts) => Said>> = {
  around_gate({ begun, effect }) {
    if (begun) return no('the action began under the gate');
    if (effect === undefined) return cannotTell('nobody said whether the effect exists upstream');
    return effect ? yes('its effect exists upstream and it never began') : no('there is no effect upstream');
  },
  unapproved({ begun, confirmed }) {
    if (!begun) return no('it never began');
    if (confirmed === undefined) return cannotTell('its answers are not kept');
    return confirmed
      ? no('its allow, or the whole of its quorum, is recorded')
      : yes('it began without a recorded allow or the whole of its quorum');
  },
  late_stop({ begun, stoppedBefore, landedAfter }) {
    if (!begun) return no('it never began');
    if (stoppedBefore !== undefined) return yes(`it began after ${stoppedBefore}`);
    // When it was reported, which is not when it landed: a person says.
    if (landedAfter !== undefined) return likely(`it was reported beyond the residual of ${landedAfter}`);
    return no('no stop that covers it came before');
  },
  excess_credential({ scopes, lifetime }) {
    const more = scopes?.minted.filter((scope) => !scopes.granted.includes(scope)) ?? [];
    if (more.length > 0) return yes(`scopes that were not granted: ${more.join(', ')}`);
    if (lifetime && lifetime.minted > lifetime.granted)
      return yes(`a credential lived ${lifetime.minted} ms, ${lifetime.granted} ms were granted`);
    return scopes === undefined
      ? cannotTell('its release says no scopes')
      : no('its scopes and lifetimes are those that were granted');
  },
  wrong_bucket({ segment }) {
    if (segment === undefined)
      return cannotTell('its attributes are erased, or the definitions are others now');
    const { recorded, found } = segment;
    return recorded === found
      ? no(`its attributes say ${found}`)
      : yes(`judged in ${recorded}, and its attributes say ${found}`);
  },
  tool_drift({ sameDefinitions }) {
    if (sameDefinitions === undefined) return cannotTell('no catalogue was frozen with its release');
    return sameDefinitions
      ? ask('the definitions are those that were frozen; did the tool do something else upstream?')
      : likely('the definitions are not those that were frozen; is the tool among what changed?');
  },
  rule_defect({ decidedBy, reasons }) {
    if (reasons.includes('condition_error')) return likely('a condition of its rule erred');
    return decidedBy === 'policy' ? likely('the policy let it through') : ask('was there a rule to stop it?');
  },
  runaway({ sequence }) {
    if (sequence === undefined) return ask('nobody knows whose subject it was');
    const { writes, tolerated } = sequence;
    const many = `${writes} writes of its tool for its subject within a day`;
    if (tolerated !== undefined && writes > tolerated) return yes(`${many}, ${tolerated} are tolerated`);
    return writes > MANY ? likely(many) : ask(many);
  },
  blind_evidence({ verdicts }) {
    return verdicts ? ofVerdicts(verdicts) : ask('its outcomes are not all known, or nothing was judged');
  },
  misled_approval({ begun, decidedBy }) {
    return begun && decidedBy === 'person'
      ? likely('a person approved it, and it was corrected')
      : no('no person approved it');
  },
  steered_agent: () => ask('only somebody who reads what led to it can say'),
  over_grant({ decidedBy }) {
    return decidedBy === 'policy' ? likely('it ran unasked') : ask('a narrower grant may stop it');
  },
  wrong_call: () => ask('what is left when all those above are no'),
  over_block: ({ wronglyStopped }) =>
    wronglyStopped ? likely('a person says that it was right and was stopped') : no('it was not stopped'),
};

/** What the records say of each mechanism, in their order; a right write that was stopped slipped past no control. */
export function findingsOf(facts: ActionFacts): Finding[] {
  return MECHANISMS.map(({ name }) => ({
    mechanism: name,
    ...(facts.wronglyStopped && name !== 'over_block' ? no('nothing wrong was done') : TESTS[name](facts)),
  }));
}

/** Where nothing but a person's word or a figure is known: each test is put to a person. */
export const openFindings = (): Finding[] =>
  MECHANISMS.map(({ name }) => ({ mechanism: name, ...cannotTell('no action is named') }));

/** Of a breach no action is named, but whether the evidence could have shown it before is known. */
export const breachFindings = (verdicts: ActionFacts['verdicts']): Finding[] =>
  openFindings().map((one) =>
    verdicts && one.mechanism === 'blind_evidence'
      ? { mechanism: one.mechanism, ...ofVerdicts(verdicts) }
      : one,
  );

/** The mechanism that the records alone establish: the first yes. The others that are yes contribute. */
export function establishedBy(findings: readonly Finding[]): {
  mechanism?: MechanismName;
  contributing: MechanismName[];
} {
  const [first, ...others] = findings.flatMap(({ mechanism, answer }) =>
    answer === 'yes' ? [mechanism] : [],
  );
  return first === undefined ? { contributing: [] } : { mechanism: first, contributing: others };
}

/** What is put to a person with its one-line test: what the records support first, then the others in order. */
export function proposalsOf(findings: readonly Finding[]): Finding[] {
  const asked = findings.filter(({ answer }) => answer === 'ask' || answer === 'cannot_tell');
  return [...asked.filter((one) => one.likely), ...asked.filter((one) => !one.likely)];
}
