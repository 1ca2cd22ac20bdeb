import { z } from 'zod';
import type { CaseRow } from '../../cases/store.ts';
import { CASE_KINDS } from '../../domain/cases/case.ts';
import { CASE_VERDICTS } from '../../domain/cases/result.ts';
import { anyObjectSchema, instantSchema } from '../schemas.ts';

export const CASE_STATES = ['proposed', 'admitted', 'retired', 'unreproduced'] as const;

export const caseSchema = z
  .object({
    agent: z.string(),
    case: z.string(),
    kind: z.string(),
    state: z.enum(CASE_STATES),
    because: z
      .enum(['file', 'incident', 'denied', 'edited', 'corrected'])
      .describe('Where it comes from: written by somebody, or what a person said of an action'),
    proposedBy: z.string().describe('Who wrote it, or whose word on the action it comes from'),
    action: z.string().optional().describe('The last action that a person said it of'),
    digest: z.string().optional().describe('SHA-256 of what is given and expected, in RFC 8785 form'),
    body: anyObjectSchema.describe('As its file says it; without "expect" nobody has written that yet'),
    covers: z.int().describe('How many happenings it stands for'),
    owner: z.string().optional(),
    reviewBy: instantSchema.optional(),
    expectedBy: z.string().optional(),
    redOn: z.string().optional().describe('Digest of the release on which it was red'),
    greenOn: z.string().optional(),
    incident: z.string().optional(),
    admittedAt: instantSchema.optional(),
    admittedBy: z.string().optional(),
    staleSince: instantSchema.optional().describe('Since when its tools take other arguments'),
    waitsFor: z
      .object({ verb: z.enum(['retire', 'expect', 'set aside']), by: z.string(), reason: z.string() })
      .optional()
      .describe('What a first person asked for, and a second one has to say as well'),
    retireReason: z.string().optional().describe('Why it was retired or set aside'),
  })
  .meta({ id: 'RegressionCase' });

export const suiteSchema = z
  .object({
    agent: z.string(),
    release: z.string(),
    green: z.int(),
    red: z.int(),
    notApplicable: z.int(),
    unevaluable: z.int(),
    results: z.array(
      z.object({
        case: z.string(),
        digest: z.string(),
        kind: z.enum(CASE_KINDS),
        says: z.string(),
        verdict: z.enum(CASE_VERDICTS),
        why: z.string(),
      }),
    ),
    becameNotApplicable: z.array(z.string()),
    needsMigration: z.array(z.string()),
    reviewOverdue: z.array(z.string()),
  })
  .meta({ id: 'SuiteResult' });

export const draftSchema = z
  .object({
    case: anyObjectSchema.describe('As its file says it'),
    action: z.string(),
    kept: z.array(z.string()).describe('What stayed as it was asked, because the answer turns on it'),
    on: z
      .object({ release: z.string(), verdict: z.enum(CASE_VERDICTS), why: z.string() })
      .describe('What it says of the release that answered'),
  })
  .meta({ id: 'CaseDraft' });

export function caseView(row: CaseRow): z.infer<typeof caseSchema> {
  const { asked } = row;
  return {
    agent: row.agent,
    case: row.name,
    kind: row.kind,
    state: row.state,
    because: row.because,
    proposedBy: row.proposed_by,
    action: row.from_action ?? undefined,
    digest: row.digest ?? undefined,
    body: { ...row.body },
    covers: row.covers,
    owner: row.owner ?? undefined,
    reviewBy: row.review_by?.toISOString(),
    expectedBy: row.expected_by ?? undefined,
    redOn: row.red_digest ?? undefined,
    greenOn: row.green_digest ?? undefined,
    incident: row.from_incident ?? undefined,
    admittedAt: row.admitted_at?.toISOString(),
    admittedBy: row.admitted_by ?? undefined,
    staleSince: row.stale_since?.toISOString(),
    waitsFor: asked ? { verb: asked.verb, by: asked.by, reason: asked.reason } : undefined,
    retireReason: row.retire_reason ?? undefined,
  };
}
