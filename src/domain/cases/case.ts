import { z } from 'zod';
import { nameSchema } from '../agent.ts';
import { REASON_CODES } from '../decision.ts';
import { digestOf } from '../digest.ts';
import { durationBetween } from '../schema/duration.ts';
import { wordsSchema } from '../schema/words.ts';
import { SCOPE_FORMS, SCOPE_PATTERN } from '../scope.ts';

/** What a case can be about. There is no kind for entrances: the service has one, its HTTP API, and all else calls it. */
export const CASE_KINDS = [
  'ask',
  'sequence',
  'credential',
  'series',
  'card',
  'catalogue',
  'exposure',
] as const;
export type CaseKind = (typeof CASE_KINDS)[number];

/** As many cases has a suite at most. */
export const CASES_MAX = 5_000;
/** As long is a file of one case at most, in characters. */
export const CASE_LENGTH_MAX = 100_000;
export const TWINS_MAX = 20;
const STEPS_MAX = 50;
const DAYS_MAX = 400;
const LISTED_MAX = 50;
const TEXT_MAX = 1_000;

const valuesSchema = z.record(z.string(), z.unknown());
const scopeSchema = z.string().max(200).regex(SCOPE_PATTERN, `write ${SCOPE_FORMS}`);
const answerSchema = z
  .string()
  .regex(/^(allow|deny|ask(:([1-9]|[1-9]\d|100))?)$/, 'write allow, ask, ask:<people> or deny')
  .describe('allow, ask (one person), ask:<people> or deny');
const reasonsSchema = z
  .array(z.enum(REASON_CODES))
  .min(1)
  .max(REASON_CODES.length)
  .describe('One of these must be the reason; another one is no answer to this case');

const askedShape = {
  tool: nameSchema.optional().describe('The tool that is asked for'),
  args: valuesSchema.optional().describe('Its arguments: made up, never those of a person'),
  attributes: valuesSchema.optional().describe('Trusted attributes; the segment follows from them'),
  claimed: valuesSchema.optional().describe('What the agent itself claims'),
  subject: z.string().max(200).optional().describe('What it is about. Default: case'),
  vouched: z.string().max(200).optional().describe('"sub" of the signed assertion. Default: the subject'),
};
const boundShape = {
  atLeast: answerSchema.optional().describe('The answer is this or stricter; needs a twin'),
  atMost: answerSchema.optional().describe('The answer is this or milder'),
  exactly: answerSchema.optional().describe('The answer is this'),
};

/** Why a step is refused, as the service says it. */
export const REFUSALS = [
  'not_approved',
  'already_begun',
  'args_changed',
  'stopped',
  'limit_reached',
  'too_late',
] as const;
export type Refusal = (typeof REFUSALS)[number];

const stepSchema = z.strictObject({
  do: z
    .enum(['ask', 'approve', 'deny', 'edit', 'begin', 'disable', 'enable', 'wait', 'rollback'])
    .describe('What happens'),
  action: nameSchema.optional().describe('A name for the action that the step is about'),
  ...askedShape,
  ...boundShape,
  reasons: reasonsSchema.optional(),
  round: z
    .int()
    .min(0)
    .max(20)
    .optional()
    .describe('begin: how many edits its caller knows of. Default: all'),
  refused: z.enum(REFUSALS).optional().describe('begin: it must be refused, with this code'),
  begun: z.boolean().optional().describe('begin: it must begin'),
  scope: scopeSchema.optional().describe('disable and enable: what'),
  for: durationBetween('1s', '90d').optional().describe('wait: how long'),
});

const daySchema = z.strictObject({
  day: z.int().min(0).max(3_650).describe('The day on which the subjects were first seen'),
  events: z.int().min(0).max(1_000_000_000),
  harms: z.int().min(0).max(1_000_000_000),
});

const givenSchema = z.strictObject({
  ...askedShape,
  agentVersion: z.string().max(200).optional().describe('The build that asks'),
  switches: z
    .array(z.strictObject({ scope: scopeSchema, reads: z.boolean().default(false) }))
    .max(LISTED_MAX)
    .optional()
    .describe('What is switched off meanwhile'),
  steps: z.array(stepSchema).min(1).max(STEPS_MAX).optional().describe('sequence: one after the other'),
  phase: z.enum(['constrained', 'scale']).optional().describe('exposure: the phase of the rollout'),
  metric: nameSchema.optional().describe('series: the metric whose guardrail judges'),
  days: z.array(daySchema).min(1).max(DAYS_MAX).optional().describe('series: what each day counted'),
});

const expectSchema = z.strictObject({
  ...boundShape,
  reasons: reasonsSchema.optional(),
  scopes: z
    .array(z.string().max(200))
    .max(LISTED_MAX)
    .optional()
    .describe('credential: what is minted has none but these'),
  ttlAtMost: durationBetween('1s', '1d').optional().describe('credential: it lives no longer'),
  shows: z
    .array(z.string().min(1).max(TEXT_MAX))
    .max(LISTED_MAX)
    .optional()
    .describe('card: what people must read'),
  hides: z
    .array(z.string().min(1).max(TEXT_MAX))
    .max(LISTED_MAX)
    .optional()
    .describe('card: what must not stand there'),
  exposedAtMost: z
    .number()
    .min(0)
    .max(100)
    .optional()
    .describe('exposure: so many percent of those who have these attributes meet the release in that phase'),
  breachBy: z.int().min(0).max(3_650).optional().describe('series: it breaches on this day at the latest'),
  never: z.literal(true).optional().describe('series: it never breaches'),
  definition: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/, 'write sha256: and 64 hexadecimal digits')
    .optional()
    .describe('catalogue: the digest of the definition of the tool'),
});

/** One thing that must stay so, whatever release comes: what is given, and what a person says must come of it. */
export const caseSchema = z.strictObject({
  case: nameSchema,
  agent: nameSchema,
  kind: z.enum(CASE_KINDS),
  says: wordsSchema.max(300).describe('What must not happen again, in one line'),
  from: z
    .array(z.string().min(1).max(100))
    .max(100)
    .default([])
    .describe('The incidents and actions it comes from'),
  mechanism: nameSchema.optional().describe('The first control that should have stopped it'),
  owner: nameSchema.optional().describe('Who answers for it'),
  reviewBy: z.iso.date().optional().describe('When somebody looks at it again'),
  given: givenSchema,
  expect: expectSchema.describe('Written by a person; never what was recorded'),
  twins: z
    .array(nameSchema)
    .max(TWINS_MAX)
    .default([])
    .describe('Cases of what is right and nearest to this: they must stay possible'),
  proof: z
    .strictObject({
      redOn: z.string().max(100).describe('Digest of a release on which it is red'),
      greenOn: z.string().max(100).describe('Digest of a release on which it is green'),
      by: nameSchema.optional(),
      agreed: nameSchema.optional(),
    })
    .optional()
    .describe('Filled in when it is admitted; anyone can run it again'),
});

/** A case with every default filled in. */
export type RegressionCase = z.infer<typeof caseSchema>;
export type CaseStep = z.infer<typeof stepSchema>;
/** What is said of one answer: a floor, a ceiling, or both. */
export type CaseBounds = Pick<RegressionCase['expect'], 'atLeast' | 'atMost' | 'exactly' | 'reasons'>;
/** What one ask of a case is made of. */
export type CaseAsk = Pick<RegressionCase['given'], keyof typeof askedShape>;

/** SHA-256, hex, of the RFC 8785 form of what is given and expected: who answers for it and where it comes from is not in it. */
export const caseDigest = ({ agent, kind, given, expect }: RegressionCase): string =>
  digestOf({ agent, kind, given, expect });

/** Whether it forbids what is milder: only then is a twin needed, else "deny everything" would be green. */
export const isFloor = ({ kind, given, expect }: RegressionCase): boolean =>
  [expect, ...(kind === 'sequence' ? (given.steps ?? []) : [])].some(
    ({ atLeast, exactly }) => (atLeast ?? exactly ?? 'allow') !== 'allow',
  ) ||
  (kind === 'sequence' && (given.steps ?? []).some(({ refused }) => refused !== undefined));
