import { z } from 'zod';
import { admitCase } from '../../cases/admit.ts';
import { expectOtherwise, retireCase } from '../../cases/amend.ts';
import { draftCase } from '../../cases/draft.ts';
import { listCases, readCaseOf } from '../../cases/list.ts';
import { proposeCase } from '../../cases/propose.ts';
import { runCases } from '../../cases/run.ts';
import type { CaseRow } from '../../cases/store.ts';
import { nameSchema } from '../../domain/agent.ts';
import { CASE_KINDS, type RegressionCase, TWINS_MAX } from '../../domain/cases/case.ts';
import { CASE_VERDICTS } from '../../domain/cases/result.ts';
import { formatProblems, readCaseValue } from '../../domain/manifest/manifest.ts';
import { AppError } from '../../errors.ts';
import type { Api, RouteDeps } from '../app.ts';
import { actorOf } from '../auth.ts';
import { agentNameSchema, anyObjectSchema, instantSchema, reasonSchema } from '../schemas.ts';

const tags = ['cases'];
const CASE_STATES = ['proposed', 'admitted', 'retired', 'unreproduced'] as const;

const caseSchema = z
  .object({
    agent: z.string(),
    case: z.string(),
    kind: z.string(),
    state: z.enum(CASE_STATES),
    because: z.string(),
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
      .object({ verb: z.enum(['retire', 'expect']), by: z.string(), reason: z.string() })
      .optional()
      .describe('What a first person asked for, and a second one has to say as well'),
    retireReason: z.string().optional(),
  })
  .meta({ id: 'RegressionCase' });

const suiteSchema = z
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

const draftSchema = z
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

const one = z.object({ agent: agentNameSchema, name: nameSchema });
const AT = '/v1/agents/:agent/cases/:name';

/** Regression cases: what is kept, and what it says of a release. */
export function caseRoutes(app: Api, { services }: RouteDeps): void {
  app.get(
    '/v1/agents/:agent/cases',
    {
      schema: {
        operationId: 'listCases',
        tags,
        summary: 'The regression cases of an agent, by name',
        params: z.object({ agent: agentNameSchema }),
        querystring: z.object({ state: z.enum(CASE_STATES).optional() }),
        response: { 200: z.object({ items: z.array(caseSchema) }) },
      },
    },
    async (request) => {
      const input = { ...request.params, ...request.query };
      return { items: (await listCases(services.db.sql, actorOf(request), input)).map(caseView) };
    },
  );
  app.get(
    AT,
    {
      schema: {
        operationId: 'getCase',
        tags,
        summary: 'One regression case, and what became of it',
        params: one,
        response: {
          200: caseSchema.extend({
            changes: z.array(
              z.object({
                at: instantSchema,
                by: z.string(),
                verb: z.string(),
                reason: z.string().optional(),
              }),
            ),
          }),
        },
      },
    },
    async (request) => {
      const { row, changes } = await readCaseOf(services.db.sql, actorOf(request), request.params);
      return {
        ...caseView(row),
        changes: changes.map(({ at, by, verb, reason }) => ({
          at: at.toISOString(),
          by,
          verb,
          reason: reason ?? undefined,
        })),
      };
    },
  );
  app.post(
    '/v1/agents/:agent/cases',
    {
      schema: {
        operationId: 'proposeCase',
        tags,
        summary: 'Keep a regression case, as its file says it',
        description: 'Nothing is held to it before it is admitted.',
        params: z.object({ agent: agentNameSchema }),
        body: anyObjectSchema,
        response: { 201: caseSchema },
      },
    },
    async (request, reply) => {
      const proposed = await proposeCase(
        services,
        actorOf(request),
        caseIn(request.params.agent, request.body),
      );
      reply.code(201);
      return caseView(proposed);
    },
  );
  app.post(
    '/v1/agents/:agent/cases/run',
    {
      schema: {
        operationId: 'runCases',
        tags,
        summary: 'What the admitted cases say of a release',
        params: z.object({ agent: agentNameSchema }),
        body: z.strictObject({ release: nameSchema.describe('The version of one that was applied') }),
        response: { 200: suiteSchema },
      },
    },
    async (request) => runCases(services, actorOf(request), { ...request.params, ...request.body }),
  );
  draftRoute(app, services);
  caseVerbs(app, services);
}

function draftRoute(app: Api, services: RouteDeps['services']): void {
  app.post(
    '/v1/agents/:agent/cases/draft',
    {
      schema: {
        operationId: 'draftCase',
        tags,
        summary: 'A regression case made of an action, with made-up values; nothing is kept',
        description: 'What it expects is what is said here, never what was recorded.',
        params: z.object({ agent: agentNameSchema }),
        body: z.strictObject({
          case: nameSchema.describe('The name that it shall have'),
          incident: z.string().max(100).optional().describe('The first action that is in it'),
          action: z.uuid().optional().describe('Or this one'),
          expect: anyObjectSchema,
          says: z.string().max(300).optional(),
          twins: z.array(nameSchema).max(TWINS_MAX).optional(),
        }),
        response: { 200: draftSchema },
      },
    },
    async (request) => {
      const input = { ...request.params, ...request.body };
      const draft = await draftCase(services, actorOf(request), input);
      return { ...draft, case: { ...draft.case } };
    },
  );
}

function caseVerbs(app: Api, services: RouteDeps['services']): void {
  app.post(
    `${AT}/admit`,
    {
      schema: {
        operationId: 'admitCase',
        tags,
        summary: 'Hold releases to a case: it is red on one and green on another, run here and now',
        params: one,
        body: z.strictObject({ redOn: nameSchema, greenOn: nameSchema }),
        response: { 200: caseSchema },
      },
    },
    async (request) =>
      caseView(await admitCase(services, actorOf(request), { ...request.params, ...request.body })),
  );
  app.post(
    `${AT}/expect`,
    {
      schema: {
        operationId: 'expectOtherwise',
        tags,
        summary: 'Another expectation of an admitted case; a second person says the same',
        params: one,
        body: z.strictObject({ expect: anyObjectSchema, reason: reasonSchema }),
        response: { 200: caseSchema },
      },
    },
    async (request) => {
      const { expect, reason } = request.body;
      const input = { ...request.params, expect: expect as RegressionCase['expect'], reason };
      return caseView(await expectOtherwise(services, actorOf(request), input));
    },
  );
  app.post(
    `${AT}/retire`,
    {
      schema: {
        operationId: 'retireCase',
        tags,
        summary: 'Let a case go; a second person says the same',
        params: one,
        body: z.strictObject({ reason: reasonSchema }),
        response: { 200: caseSchema },
      },
    },
    async (request) =>
      caseView(await retireCase(services, actorOf(request), { ...request.params, ...request.body })),
  );
}

/** @throws AppError `invalid_input` with every problem */
function caseIn(agent: string, body: unknown): RegressionCase {
  const read = readCaseValue(body);
  if (!read.ok)
    throw new AppError('invalid_input', formatProblems(read.problems), { problems: read.problems });
  if (read.value.agent === agent) return read.value;
  throw new AppError('invalid_input', `The case is of agent "${read.value.agent}", not of "${agent}"`);
}
