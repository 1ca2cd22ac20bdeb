import { z } from 'zod';
import { admitCase } from '../../cases/admit.ts';
import { expectOtherwise, retireCase, setCaseAside } from '../../cases/amend.ts';
import { draftCase } from '../../cases/draft.ts';
import { listCases, readCaseOf } from '../../cases/list.ts';
import { proposeCase } from '../../cases/propose.ts';
import { runCases } from '../../cases/run.ts';
import { nameSchema } from '../../domain/agent.ts';
import { type RegressionCase, TWINS_MAX } from '../../domain/cases/case.ts';
import { formatProblems, readCaseValue } from '../../domain/manifest/manifest.ts';
import { AppError } from '../../errors.ts';
import type { Api, RouteDeps } from '../app.ts';
import { actorOf } from '../auth.ts';
import { agentNameSchema, anyObjectSchema, instantSchema, reasonSchema } from '../schemas.ts';
import { CASE_STATES, caseSchema, caseView, draftSchema, suiteSchema } from './case-schemas.ts';

const tags = ['cases'];
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
          proposal: nameSchema.optional().describe('Or the last one that this proposal comes from'),
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
  app.post(
    `${AT}/unreproduced`,
    {
      schema: {
        operationId: 'setCaseAside',
        tags,
        summary: 'Set a proposed case aside that is red on no release; a second person says the same',
        params: one,
        body: z.strictObject({ reason: reasonSchema }),
        response: { 200: caseSchema },
      },
    },
    async (request) =>
      caseView(await setCaseAside(services, actorOf(request), { ...request.params, ...request.body })),
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
