/** The four columns, in the order in which a write passes them. */
export const COLUMNS = ['enter', 'decide', 'control', 'measure'] as const;
export type Column = (typeof COLUMNS)[number];

/** Whose it is, by a role of the agent's manifest; `platform`: whoever runs the service. */
export type StageOwner = 'deployers' | 'owners' | 'approvers' | 'onCall' | 'platform';

/** What is expected of a stage. The page, the pictures and `docs/system.md` are made from this, so they cannot differ. */
export interface Stage {
  id: StageId;
  column: Column;
  title: string;
  inputs: string;
  outputs: string;
  /** How far a failure in it reaches. */
  boundary: string;
  whenBroken: string;
  /** What its events are, and which of them are counted as errors; without: nothing recorded says so. */
  counts: string;
  errors?: string;
  /** From what to what its p95 runs; without: it takes no time that is recorded. */
  takes?: string;
  owner: StageOwner;
  /** Where it is told what to do, and the test that breaks it on purpose. */
  lookAt: { doc: string; test: string };
}

export const STAGE_IDS = [
  'surfaces',
  'agents',
  'versions',
  'segments',
  'release',
  'arm',
  'rule',
  'approvers',
  'begin',
  'credential',
  'gateway',
  'switch',
  'epoch',
  'outcomes',
  'guardrails',
  'judge',
  'business',
] as const;
export type StageId = (typeof STAGE_IDS)[number];

const ENTER: readonly Stage[] = [
  {
    id: 'surfaces',
    column: 'enter',
    title: 'Surfaces',
    inputs: 'HTTP requests with a bearer token, Slack clicks, CLI commands',
    outputs: 'one call of one verb, by one actor',
    boundary: 'one request: a bad one is refused and touches nothing',
    whenBroken:
      'the agent gets no answer and does nothing; Slack says "NOT recorded"; every call may be repeated',
    counts: 'questions, by who asked; answers, by the surface they came from',
    owner: 'platform',
    lookAt: { doc: 'docs/outages.md', test: 'test/integration/api/hostile.test.ts' },
  },
  {
    id: 'agents',
    column: 'enter',
    title: 'Agents',
    inputs: 'a question about one tool, with its arguments',
    outputs: 'the question under the manifest of this agent',
    boundary: 'one agent: what another one asks is decided by its own manifest',
    whenBroken: 'an agent that nobody knows is refused; one without a release in force is denied everything',
    counts: 'questions',
    errors: 'denied',
    owner: 'owners',
    lookAt: { doc: 'docs/manifests.md', test: 'test/integration/api/access.test.ts' },
  },
  {
    id: 'versions',
    column: 'enter',
    title: 'Versions',
    inputs: 'the build that the agent says it is',
    outputs: 'evidence counted by build; a rollout held at a build it does not know',
    boundary: 'one build: what was earned or proved by another does not count for it',
    whenBroken: 'an unknown build holds the rollout until somebody accepts it; asking goes on',
    counts: 'questions',
    errors: 'denied',
    owner: 'deployers',
    lookAt: { doc: 'docs/rollouts.md', test: 'test/integration/rollouts/taken-back.test.ts' },
  },
  {
    id: 'segments',
    column: 'enter',
    title: 'Segments',
    inputs: 'trusted attributes, by a signed assertion or by the token',
    outputs: 'the first segment whose condition holds, else default',
    boundary: 'one question: nothing that the agent says of itself chooses it, unless the manifest says so',
    whenBroken: 'an assertion that cannot be checked is refused; a condition that fails does not match',
    counts: 'questions',
    errors: 'denied',
    owner: 'owners',
    lookAt: { doc: 'docs/manifests.md', test: 'test/unit/domain/decision/decide.test.ts' },
  },
];

const DECIDE: readonly Stage[] = [
  {
    id: 'release',
    column: 'decide',
    title: 'Release in force',
    inputs: 'what is in force in the segment, of one epoch',
    outputs: 'the release that decides',
    boundary: 'one segment of one agent',
    whenBroken:
      'nothing in force denies everything; with the store down only reads of record: after pass, for 5 s',
    counts: 'questions that a release decided',
    errors: 'denied',
    owner: 'owners',
    lookAt: { doc: 'docs/writing-a-release.md', test: 'test/integration/worlds.test.ts' },
  },
  {
    id: 'arm',
    column: 'decide',
    title: 'Arm',
    inputs: 'the subject, the salt of the rollout, the exposure of the segment',
    outputs: 'control or candidate, the same for a subject each time',
    boundary: 'one subject of one rollout',
    whenBroken: 'arms that are not as assigned hold the rollout and tell on-call',
    counts: 'questions',
    errors: 'denied',
    owner: 'owners',
    lookAt: { doc: 'docs/reading-the-evidence.md', test: 'test/integration/rollouts/arms.test.ts' },
  },
  {
    id: 'rule',
    column: 'decide',
    title: 'Rule',
    inputs: 'grants and rules of the release, arguments, attributes, subject',
    outputs: 'allowed, asks, or denied, with its reasons',
    boundary: 'one question: it is pure, and total',
    whenBroken: 'a condition that fails never allows: it denies or asks',
    counts: 'questions',
    errors: 'denied by policy',
    owner: 'owners',
    lookAt: { doc: 'docs/approval-policies.md', test: 'test/unit/domain/decision/decide.property.test.ts' },
  },
  {
    id: 'approvers',
    column: 'decide',
    title: 'Approver groups',
    inputs: 'a card that shows exactly what would be done',
    outputs: 'answers, each signed, counted under the lock of the action',
    boundary: 'one action: an answer is for this digest and this round alone',
    whenBroken: 'nobody who answers: it escalates, on-call is told, it expires, and nothing runs',
    counts: 'questions that people were asked',
    errors: 'expired unanswered',
    takes: 'asked to answered',
    owner: 'approvers',
    lookAt: { doc: 'docs/approving-in-slack.md', test: 'test/integration/slack/escalation.test.ts' },
  },
];

const CONTROL: readonly Stage[] = [
  {
    id: 'begin',
    column: 'control',
    title: 'Begin',
    inputs: 'an approved action and the id of its execution',
    outputs: 'the one begin, under the lock of the gate',
    boundary: 'one action: it begins once, or never',
    whenBroken: 'no begin, no credential: the write does not happen; it may be asked for again',
    counts: 'writes that began',
    errors: 'approved, and void before they began',
    takes: 'decided to begun',
    owner: 'platform',
    lookAt: {
      doc: 'docs/architecture.md#one-write-file-by-file',
      test: 'test/integration/actions/begin.test.ts',
    },
  },
  {
    id: 'credential',
    column: 'control',
    title: 'Credential',
    inputs: 'what the grant and the tool say may be in it',
    outputs: 'a token of at most 60 s for exactly this action',
    boundary: 'one action, its scopes, its lifetime',
    whenBroken: 'none is handed out; what was minted before ends with its lifetime',
    counts: 'writes that got one',
    errors: 'writes that began without one',
    owner: 'platform',
    lookAt: { doc: 'docs/security.md', test: 'test/integration/keys.test.ts' },
  },
  {
    id: 'gateway',
    column: 'control',
    title: 'Gateway',
    inputs: 'the credential, at whatever enforces it in front of the tool',
    outputs: 'the effect, and a report of it',
    boundary:
      'one execution; of an advisory tool the agent also holds a key, and nothing here stands in between',
    whenBroken: 'silence becomes unknown after 120 s and people are told; a late report is always accepted',
    counts: 'writes that were reported or stayed silent',
    errors: 'failed or unknown',
    takes: 'begun to reported',
    owner: 'deployers',
    lookAt: { doc: 'docs/outages.md', test: 'test/e2e/kill.test.ts' },
  },
  {
    id: 'switch',
    column: 'control',
    title: 'Switch',
    inputs: 'disable, by API, Slack, CLI or the database alone',
    outputs: 'a closed gate; what waited is void',
    boundary: 'everything, one agent or one tool',
    whenBroken: 'it has a process and a connection of its own; without the store nothing begins anyway',
    counts: 'actions that it stopped',
    owner: 'onCall',
    lookAt: { doc: 'docs/architecture.md#the-switch', test: 'test/integration/switch/race.test.ts' },
  },
  {
    id: 'epoch',
    column: 'control',
    title: 'Epoch',
    inputs: 'every stop, rollback and change of what is in force',
    outputs: 'a number that only rises; what was decided below the last stop never begins',
    boundary: 'the installation',
    whenBroken: 'a process that is behind decides again before it records; it never records under an old one',
    counts: 'actions that were superseded',
    owner: 'platform',
    lookAt: { doc: 'docs/architecture.md#the-switch', test: 'test/integration/switch/recover.test.ts' },
  },
];

const MEASURE: readonly Stage[] = [
  {
    id: 'outcomes',
    column: 'measure',
    title: 'Outcomes',
    inputs: 'facts of what came of it, corrections by people',
    outputs: 'counts per subject-day, committed with the outcome',
    boundary: 'one batch: all of it or nothing',
    whenBroken: 'nothing is lost that is sent again; without outcomes nothing is ever ok',
    counts: 'writes with an outcome',
    errors: 'corrected, of those executed',
    takes: 'reported to its first outcome',
    owner: 'owners',
    lookAt: { doc: 'docs/reading-the-evidence.md', test: 'test/integration/outcomes.test.ts' },
  },
  {
    id: 'guardrails',
    column: 'measure',
    title: 'Guardrails',
    inputs: 'counts per segment and day, the limit that was frozen at the start',
    outputs: 'ok, breach, inconclusive, no-data or source-down',
    boundary: 'one metric in one segment',
    whenBroken: 'a source that is down is neither a pass nor a breach: it holds the widening',
    counts: 'verdicts that stand',
    errors: 'breaches',
    owner: 'owners',
    lookAt: { doc: 'docs/choosing-guardrails.md', test: 'test/integration/rollouts/sources.test.ts' },
  },
  {
    id: 'judge',
    column: 'measure',
    title: 'Judge',
    inputs: 'segments whose counts changed',
    outputs: 'verdicts, a rollback of the segment in one transaction, an incident',
    boundary: 'one segment of one rollout; what failed is tried again',
    whenBroken: 'nothing widens; another process takes over within seconds; the switch does not need it',
    counts: 'verdicts last judged in the window',
    errors: 'no-data or source-down',
    owner: 'platform',
    lookAt: { doc: 'docs/when-it-rolled-back.md', test: 'test/integration/rollouts/judge.test.ts' },
  },
  {
    id: 'business',
    column: 'measure',
    title: 'Business metric',
    inputs: 'the metric that a guardrail stands for, declared rates',
    outputs: 'what it costs, with the inputs of each figure',
    boundary: 'shown only: declared money never enters evidence',
    whenBroken: 'reports say that no rates stand; verdicts are as before',
    counts: 'nothing: it is declared',
    owner: 'owners',
    lookAt: { doc: 'docs/choosing-guardrails.md', test: 'test/integration/rollouts/metrics.test.ts' },
  },
];

/** Every stage, in the places in which it is drawn. */
export const STAGES: readonly Stage[] = [...ENTER, ...DECIDE, ...CONTROL, ...MEASURE];
