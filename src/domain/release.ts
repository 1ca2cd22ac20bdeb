import { z } from 'zod';
import { nameSchema } from './agent.ts';
import { listsSchema } from './lists.ts';
import { rolloutSchema } from './rollout-plan.ts';
import { durationBetween } from './schema/duration.ts';
import { wordsSchema } from './schema/words.ts';

export type { Gate, Guardrail, RolloutPlan } from './rollout-plan.ts';

export const CREDENTIAL_TTL_MAX_S = 60;
/** What is allowed, by whomever, may begin within this. */
export const BEGIN_WITHIN = '60s';
/** As many may be named to be behind one action. */
export const BEHIND_MAX = 20;

const quorumSchema = z.int().min(1).max(20);
/** Who must agree, side by side: one group, or several with a count each. */
const askedShape = {
  group: nameSchema.optional().describe('The approver group that is asked'),
  quorum: quorumSchema.optional().describe('How many of it; default: 1'),
  groups: z.record(nameSchema, quorumSchema).optional().describe('Several groups, each with its own count'),
};
export const REPEATS_DEFAULT = 2;
const RULE_ANSWERS = ['approve', 'ask', 'deny'] as const;
export const SLACK_APPROVES = ['any', 'not-high', 'none'] as const;
export const NOTIFY = ['channel', 'dm', 'both', 'digest'] as const;

export const ruleSchema = z.strictObject({
  when: z.string().describe('CEL over args, context and subject'),
  answer: z.enum(RULE_ANSWERS).describe('deny beats ask beats approve; only low risk is approved by rule'),
  reason: wordsSchema.optional().describe('Told to the agent and written in the log'),
});

export const approvalSchema = z.union([
  z.literal('none').describe('Runs unasked'),
  nameSchema.describe('The approver group that is asked'),
  z.strictObject({
    ...askedShape,
    unless: z
      .string()
      .optional()
      .describe('CEL over args, context and subject; where it is true, the grant runs unasked'),
    stages: z
      .array(z.strictObject(askedShape))
      .min(1)
      .max(5)
      .optional()
      .describe('Asked one after the other'),
    expiresIn: durationBetween('10s', '90d').default('1h').describe('How long people are waited for'),
    remindAfter: durationBetween('10s', '90d')
      .optional()
      .describe('The first reminder; each wait doubles. Default: half of expiresIn'),
    beginWithin: durationBetween('5s', '1d')
      .optional()
      .describe('What an approval leaves to begin in, however late it comes. Default: 60s'),
    reason: z.enum(['optional', 'required']).default('optional').describe('Whether approving needs a reason'),
    slackApproves: z
      .enum(SLACK_APPROVES)
      .default('any')
      .describe('What may be approved by a Slack account; denying always may'),
    notify: z.enum(NOTIFY).default('channel').describe('digest: low risk is told together, every 15 minutes'),
    escalate: z
      .array(
        z.strictObject({
          after: durationBetween('1s', '90d').describe('Since it was asked'),
          to: nameSchema.describe('The group that may answer as well'),
        }),
      )
      .max(5)
      .default([])
      .describe('Who may answer as well when nobody did'),
    breakGlass: nameSchema
      .optional()
      .describe('The group of which one may approve alone, loudly, with a reason'),
    standing: z
      .enum(['allowed', 'forbidden'])
      .default('allowed')
      .describe('Whether people may approve the like for a while'),
    repeats: z
      .int()
      .min(0)
      .max(100)
      .default(REPEATS_DEFAULT)
      .describe('How often the same may be asked again within a day once a person denied it'),
    rules: z
      .array(ruleSchema)
      .max(20)
      .default([])
      .describe('Answer before people are asked; of those that match deny beats ask beats approve'),
  }),
]);

/** When asking for a tool may stop: enough decided by people, and nearly always unedited and right. */
export const earnSchema = z.strictObject({
  decided: z.int().min(20).max(1_000_000).default(100).describe('Decided by people, at least'),
  above: z
    .number()
    .min(0.5)
    .max(0.9999)
    .describe('What the lower bound of approved, unedited and right must exceed'),
  alpha: z.number().gt(0).max(0.2).default(0.05).describe('Chance that the bound is ever wrong'),
  matureAfter: durationBetween('0s', '366d')
    .default('7d')
    .describe('Only older decisions count as right; wrong ones at once'),
  automatic: z.boolean().default(false).describe('false: a person confirms the move from ask to allow'),
});

const limitSchema = z.int().min(1).max(1_000_000);

export const grantSchema = z.strictObject({
  tool: z.union([nameSchema, z.array(nameSchema).min(1)]).describe('One tool or several'),
  name: nameSchema.optional().describe('Default: the tool and the number of the grant'),
  when: z.string().optional().describe('CEL over args, context and subject; only true matches'),
  deny: wordsSchema.optional().describe('Refuses, with this reason; beats every other grant'),
  approval: approvalSchema.optional().describe('Needed for every write; reads default to none'),
  earn: earnSchema
    .optional()
    .describe('May move from ask to allow, segment by segment, when the evidence carries it'),
  credential: z
    .strictObject({
      scopes: z.array(z.string()).min(1).optional().describe('Default: every scope of the tool'),
      ttl: durationBetween('1s', `${CREDENTIAL_TTL_MAX_S}s`)
        .default('60s')
        .describe('How long it is good for'),
    })
    .prefault({})
    .describe('What is handed out when the action begins'),
  limits: z
    .strictObject({
      perHour: limitSchema.optional().describe('Begins in any hour'),
      perDay: limitSchema.optional().describe('Begins in any 24 hours'),
      window: z
        .enum(['sliding', 'clock'])
        .optional()
        .describe(
          'Default: sliding. clock: by hours and days of the clock, UTC; twice the limit fits around an edge',
        ),
    })
    .refine(
      ({ window, perHour, perDay }) => window === undefined || perHour !== undefined || perDay !== undefined,
      { path: ['window'], message: 'set perHour or perDay: window says how they are counted' },
    )
    .default({})
    .describe('How many may begin in a time'),
  strictBehind: z
    .boolean()
    .optional()
    .describe(
      'Refuses a question whose "behind" names somebody whom nobody under "people" can be; else it is shown',
    ),
  record: z.enum(['before', 'after']).default('before').describe('Reads only: after may lose 1 s of entries'),
});

export const releaseSchema = z.strictObject({
  agent: nameSchema,
  release: z.union([nameSchema, z.int().min(1)]).transform(String),
  description: z.string().optional(),
  lists: listsSchema.optional().describe('Named values for the conditions here: lists.<name>'),
  grants: z.array(grantSchema).min(1),
  rollout: rolloutSchema.prefault({}),
});

export type Grant = z.infer<typeof grantSchema>;
/** An immutable, versioned permission set of one agent. */
export type Release = z.infer<typeof releaseSchema>;

export type ApprovalRule = z.infer<typeof ruleSchema>;
export type Earn = z.infer<typeof earnSchema>;

/** So many people of a group. */
export interface Need {
  group: string;
  quorum: number;
}

/** Who is asked in which order, how long it may take, and how it may be answered. Kept with the action. */
export interface ApprovalPolicy {
  /** Asked one after the other; the needs of one stage side by side. */
  stages: Need[][];
  expiresIn: string;
  /** Default: `BEGIN_WITHIN`. */
  beginWithin?: string;
  remindAfter?: string;
  reason: 'optional' | 'required';
  slackApproves: (typeof SLACK_APPROVES)[number];
  notify: (typeof NOTIFY)[number];
  escalate: { after: string; to: string }[];
  breakGlass?: string;
  standing: 'allowed' | 'forbidden';
  /** How often the same may be asked again within a day once it was denied; what was kept before says nothing. */
  repeats?: number;
  /** Whoever is behind it must be known. */
  strictBehind?: true;
}

type Asked = { group?: string; quorum?: number; groups?: Readonly<Record<string, number>> };

const DETAILS = {
  expiresIn: '1h',
  reason: 'optional',
  slackApproves: 'any',
  notify: 'channel',
  standing: 'allowed',
  repeats: REPEATS_DEFAULT,
} as const;

/** The approval a grant needs in one form; `undefined` runs unasked; reads default to that. */
export function approvalOf(grant: Pick<Grant, 'approval' | 'strictBehind'>): ApprovalPolicy | undefined {
  const { approval } = grant;
  if (approval === undefined || approval === 'none') return undefined;
  const strict = grant.strictBehind ? ({ strictBehind: true } as const) : {};
  if (typeof approval === 'string')
    return { ...DETAILS, ...strict, escalate: [], stages: [[{ group: approval, quorum: 1 }]] };
  const { group, quorum, groups, stages, rules: _, unless: __, ...details } = approval;
  return {
    ...DETAILS,
    ...strict,
    ...details,
    escalate: details.escalate ?? [],
    stages: (stages ?? [{ group, quorum, groups }]).map(needsOf),
  };
}

/** The policy of one of several grants that ask about the same call, with whatever another one is stricter in. */
export function tightened(policy: ApprovalPolicy, others: readonly ApprovalPolicy[]): ApprovalPolicy {
  const all = [policy, ...others];
  const { breakGlass, ...rest } = policy;
  const surfaces = all.map(({ slackApproves }) => SLACK_APPROVES.indexOf(slackApproves));
  return {
    ...rest,
    reason: all.some(({ reason }) => reason === 'required') ? 'required' : 'optional',
    slackApproves: SLACK_APPROVES[Math.max(...surfaces)] ?? policy.slackApproves,
    repeats: Math.min(...all.map(({ repeats }) => repeats ?? REPEATS_DEFAULT)),
    standing: all.every(({ standing }) => standing === 'allowed') ? 'allowed' : 'forbidden',
    ...(all.some(({ strictBehind }) => strictBehind) && { strictBehind: true }),
    ...(breakGlass !== undefined && all.every((one) => one.breakGlass === breakGlass) && { breakGlass }),
  };
}

const needsOf = ({ group, quorum, groups }: Asked): Need[] => [
  ...(group === undefined ? [] : [{ group, quorum: quorum ?? 1 }]),
  ...Object.entries(groups ?? {}).map(([name, count]) => ({ group: name, quorum: count })),
];

/** What is decided without asking, or always asked, of what the grant asks about. */
export const rulesOf = (grant: Pick<Grant, 'approval'>): readonly ApprovalRule[] =>
  typeof grant.approval === 'object' ? (grant.approval.rules ?? []) : [];

/** Where a grant that asks does not: the condition under which it runs unasked. */
export const unlessOf = (grant: Pick<Grant, 'approval'>): string | undefined =>
  typeof grant.approval === 'object' ? grant.approval.unless : undefined;

/** How many people must agree in all. */
export const quorumOf = (policy: Pick<ApprovalPolicy, 'stages'> | undefined): number =>
  policy?.stages.flat().reduce((sum, { quorum }) => sum + quorum, 0) ?? 0;

/** "desk", "2 of desk and 1 of legal, then 1 of leads". */
export function describeStages(policy: Pick<ApprovalPolicy, 'stages'>): string {
  const one = policy.stages.length === 1 && policy.stages[0]?.length === 1 ? policy.stages[0][0] : undefined;
  if (one?.quorum === 1) return one.group;
  return policy.stages
    .map((needs) => needs.map(({ group, quorum }) => `${quorum} of ${group}`).join(' and '))
    .join(', then ');
}

/** The groups that may ever be asked: of the stages, of the escalation, of breaking the glass. */
export const groupsOf = (policy: ApprovalPolicy): readonly string[] => [
  ...new Set([
    ...policy.stages.flat().map(({ group }) => group),
    ...policy.escalate.map(({ to }) => to),
    ...(policy.breakGlass === undefined ? [] : [policy.breakGlass]),
  ]),
];

export const toolsOf = (grant: Grant): readonly string[] =>
  Array.isArray(grant.tool) ? grant.tool : [grant.tool];
