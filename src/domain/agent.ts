import { z } from 'zod';
import { isOutwardPlace, outwardUrlSchema } from './address.ts';
import { VALUE_MAX } from './evidence/sum-process.ts';
import { freezeSchema } from './freeze.ts';
import { listsSchema } from './lists.ts';
import { metricSourceSchema } from './metric-source.ts';
import { NAME_PATTERN } from './name.ts';
import { durationBetween } from './schema/duration.ts';

export const nameSchema = z.string().regex(NAME_PATTERN, 'a name is 1-63 letters, digits, ".", "_" or "-"');
export const personSchema = z.strictObject({
  name: z.string().min(1).max(80).optional().describe('How the person is shown; default: the id'),
  email: z.email().optional().describe('Where a Slack account is to be found by it: slack.matchEmail'),
  slack: z
    .string()
    .regex(/^[UW][A-Z0-9]+\/T[A-Z0-9]+$/, 'write Slack user and team as U0123/T0123')
    .optional()
    .describe('Slack user id and team id, as U0123/T0123'),
});

export const RISKS = ['low', 'medium', 'high'] as const;
export const riskSchema = z.enum(RISKS);

export const toolSchema = z.strictObject({
  kind: z.enum(['read', 'write']).optional().describe('Not classified means write'),
  description: z.string().optional().describe('What it does, in one line'),
  risk: riskSchema.default('medium').describe('Of every call; "risks" may raise it'),
  risks: z
    .array(
      z.strictObject({
        when: z.string().describe('CEL over args'),
        risk: riskSchema.describe('What it then is, if that is more'),
      }),
    )
    .default([])
    .describe('Raises the risk of calls that match; a condition that fails means high'),
  reversibility: z
    .enum(['reversible', 'compensable', 'irreversible'])
    .default('irreversible')
    .describe('What a rollback could undo; default: nothing'),
  undo: z.string().optional().describe('How a person undoes it, shown in rollbacks'),
  consequence: z
    .string()
    .optional()
    .describe('What follows when it runs; shown in the first line of the card'),
  summary: z.string().max(200).optional().describe('"Cancel reservation {reservation_id} of {user_id}"'),
  args: z
    .record(z.string(), z.unknown())
    .default({ type: 'object' })
    .describe('JSON Schema of the arguments'),
  redact: z.array(z.string()).default([]).describe('Paths never shown or logged: passengers[].dob'),
  scopes: z.array(z.string()).default([]).describe('Every scope that exists for this tool'),
  audience: z.string().optional().describe('Who accepts the credential; default: the agent'),
  advisory: z.boolean().default(false).describe('True when the agent also holds a key of its own for it'),
});

export const segmentSchema = z.strictObject({
  name: nameSchema.describe('Never "default", which is every other request'),
  when: z.string().describe('CEL over context (trusted attributes); the first match wins'),
  representative: z.boolean().default(true).describe('Scaling waits for it'),
  subject: z
    .string()
    .optional()
    .describe(
      'Where its subjects come from: assertion.sub or context.<attribute>; default: as the release says',
    ),
  description: z.string().optional().describe('What it is, in one line'),
});

/** What business figures need to be told by a metric: it stands in no record of ours. */
export const MEASURED = [
  'model-cost',
  'tool-cost',
  'turns',
  'contacts',
  'hand-over',
  'repeat',
  'latency',
] as const;

export const metricSchema = z.strictObject({
  unit: z.string().describe('What one event is counted in, e.g. conversation'),
  direction: z.enum(['lower', 'higher']).default('lower').describe('Which way is better'),
  kind: z
    .enum(['any', 'sum', 'first', 'ratio'])
    .default('any')
    .describe(
      'How the outcomes of a subject and day add up: any is harm when one of them is, first when that of its first write is, sum adds their values, ratio sets the value of its first write against its "per"',
    ),
  above: z.number().optional().describe('Lower is better: a value above it is harm. Default: 0'),
  below: z.number().optional().describe('Higher is better: a value below it is harm. Default: 1'),
  cap: z
    .number()
    .positive()
    .optional()
    .describe(
      'Of a sum or a ratio: what no subject can exceed in a day, because something enforces it. Without one it is never ok',
    ),
  perMax: z
    .number()
    .positive()
    .max(VALUE_MAX)
    .optional()
    .describe('Of a ratio: the most that the "per" of one write can be. Default: 1'),
  tool: z.string().optional().describe('Only subjects that asked for this tool count'),
  decidedBy: z.enum(['policy', 'person']).optional().describe('Only actions decided this way count'),
  corrections: z.boolean().default(false).describe('A person reporting a wrong write counts as harm'),
  denials: z.boolean().default(false).describe('A person denying a proposed write counts as harm'),
  matureAfter: durationBetween('0s', '366d')
    .default('1d')
    .describe('Only older events prove that all is well'),
  source: metricSourceSchema
    .optional()
    .describe('Counts its events elsewhere: nobody reports outcomes of it'),
  business: z.string().describe('The business metric it stands for'),
  measures: z
    .enum(MEASURED)
    .optional()
    .describe(
      'What its values are for the business figures; of model-cost, tool-cost, turns and contacts a sum',
    ),
});

const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'write a time of day as 08:30');
export const hoursSchema = z.strictObject({
  days: z
    .array(z.enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']))
    .min(1)
    .describe('On which days'),
  from: clock.describe('A time of day, such as 08:30'),
  to: clock.describe('Before "from": on the next day'),
  timezone: z.string().describe('IANA name, e.g. Europe/Berlin'),
});

/** Who may be asked together: exactly one of people, a Slack user group or an on-call schedule. */
export const groupSchema = z.strictObject({
  people: z.array(nameSchema).min(1).optional().describe('By id; or else slackGroup or schedule'),
  slackGroup: z
    .string()
    .regex(/^S[A-Z0-9]+$/, 'write the id of a Slack user group, e.g. S0123ABC')
    .optional()
    .describe('The id of a Slack user group, such as S0123ABC'),
  schedule: z
    .union([
      z.strictObject({ pagerduty: z.string().min(1).describe('Schedule id') }),
      z.strictObject({
        ical: z
          .string()
          .min(1)
          .refine(isOutwardPlace, 'is no place of a calendar: write its https address or a file')
          .describe('URL, or a file in the data folder'),
      }),
    ])
    .optional()
    .describe('Whoever is on call'),
  staleAfter: durationBetween('10s', '90d')
    .default('1h')
    .describe('Slack group or schedule: nobody of it counts when it could not be read for so long'),
  hours: hoursSchema.optional().describe('When they can be reached; default: always'),
  outOfHours: nameSchema.optional().describe('The group that is asked as well outside these hours'),
});

export const agentSchema = z.strictObject({
  agent: nameSchema,
  description: z.string().optional(),
  testMode: z
    .boolean()
    .default(false)
    .describe(
      'Owners may approve; every card, status and log entry says so. For trying out, never for production',
    ),
  people: z.record(nameSchema, personSchema),
  owners: z.array(nameSchema).min(1),
  onCall: z.array(nameSchema).min(1).optional().describe('Default: the owners'),
  deployers: z
    .array(nameSchema)
    .default([])
    .describe('Who deploys or drives the agent; they may not approve'),
  approvers: z
    .record(nameSchema, z.union([z.array(nameSchema).min(1), groupSchema]))
    .describe('Groups of people who may be asked, from here, from Slack or from a schedule'),
  slack: z
    .strictObject({
      channel: z.string().optional().describe('Where approval cards go'),
      alerts: z.string().optional().describe('Where on-call is told; default: channel'),
      matchEmail: z.boolean().default(false).describe('Also match a Slack user by e-mail address'),
    })
    .prefault({}),
  webhook: z
    .strictObject({ url: outwardUrlSchema.describe('An https address; http only inside one network') })
    .optional()
    .describe('Signed notices of breaches and switches'),
  callback: z
    .strictObject({
      url: outwardUrlSchema.describe('An https address; http only inside one network'),
    })
    .optional()
    .describe('Where the agent is told, signed, what became of its writes'),
  attributes: z
    .record(z.string().regex(/^[a-zA-Z_]\w*$/), z.enum(['string', 'bool', 'int', 'double']))
    .default({})
    .describe('Trusted attributes of a request, from a signed assertion or from the token'),
  assertions: z
    .strictObject({
      jwks: outwardUrlSchema.optional().describe('Where the keys of the signer are'),
      issuer: z.string().optional().describe('What the assertion must name as its issuer'),
    })
    .optional()
    .describe('Who signs the attributes'),
  lists: listsSchema.optional().describe('Named values for the conditions here: lists.<name>'),
  tools: z.record(nameSchema, toolSchema),
  segments: z.array(segmentSchema).default([]),
  metrics: z.record(nameSchema, metricSchema).default({}),
  reviews: z
    .strictObject({
      product: z.array(nameSchema).min(1).optional().describe('People who read it for product'),
      engineering: z.array(nameSchema).min(1).optional().describe('Default: the owners'),
      policy: z.array(nameSchema).min(1).optional().describe('People who read it for policy'),
      operations: z.array(nameSchema).min(1).optional().describe('Default: whoever is on call'),
      channel: z
        .string()
        .optional()
        .describe('Where the page is posted; default: slack.alerts, slack.channel'),
    })
    .optional()
    .describe('Who reads the weekly review, by function'),
  freezes: z
    .array(freezeSchema)
    .max(100)
    .optional()
    .describe('Times in which no rollout widens; what takes back goes on'),
});

export type Person = z.infer<typeof personSchema>;
export type Tool = z.infer<typeof toolSchema>;
export type Segment = z.infer<typeof segmentSchema>;
export type Metric = z.infer<typeof metricSchema>;
export type Risk = z.infer<typeof riskSchema>;
export type Group = z.infer<typeof groupSchema>;
/** The thing governed: people, tools, segments and metrics, with every default filled in. */
export type Agent = z.infer<typeof agentSchema>;

export const DEFAULT_SEGMENT = 'default';

/** A tool by its name; `undefined`: the agent declares none of this name. */
export const toolOf = (agent: Pick<Agent, 'tools'>, name: string): Tool | undefined =>
  Object.hasOwn(agent.tools, name) ? agent.tools[name] : undefined;
/** The Slack user of a person, without the workspace. */
export const slackUserOf = (agent: Pick<Agent, 'people'>, person: string): string | undefined =>
  Object.hasOwn(agent.people, person) ? agent.people[person]?.slack?.split('/')[0] : undefined;
/** Not classified means write. */
export const isWrite = (tool: Tool): boolean => tool.kind !== 'read';
export const onCallOf = (agent: Agent): readonly string[] => agent.onCall ?? agent.owners;
/** Who reads the weekly review for a function. */
export const reviewersOf = (
  agent: Agent,
  name: 'product' | 'engineering' | 'policy' | 'operations',
): readonly string[] =>
  agent.reviews?.[name] ??
  (name === 'engineering' ? agent.owners : name === 'operations' ? onCallOf(agent) : []);
/** Segment names in matching order, `default` last. */
export const segmentNames = (agent: Agent): readonly string[] => [
  ...agent.segments.map((segment) => segment.name),
  DEFAULT_SEGMENT,
];
/** Whoever stands behind the agent and therefore may not approve its actions. */
export const standsBehind = (agent: Agent, person: string): boolean =>
  agent.owners.includes(person) || agent.deployers.includes(person);

/** An approver group in its long form; `undefined`: there is none of this name. */
export function groupOf(agent: Pick<Agent, 'approvers'>, name: string): Group | undefined {
  const group = Object.hasOwn(agent.approvers, name) ? agent.approvers[name] : undefined;
  return Array.isArray(group) ? { people: group, staleAfter: '1h' } : group;
}

/** Its members are read elsewhere, again and again, and may become stale. */
export const isLive = (group: Group): boolean =>
  group.slackGroup !== undefined || group.schedule !== undefined;

const NAME_LENGTH_MAX = 63;

/** An account's name as a person's id; `me` where nothing of it fits. */
export const personFrom = (account: string): string =>
  account
    .replace(/[^a-zA-Z0-9._-]/g, '-')
    .replace(/^[^a-zA-Z0-9]+/, '')
    .slice(0, NAME_LENGTH_MAX) || 'me';
