import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { RISKS } from '../../domain/agent.ts';
import { drawSystem } from '../../domain/system/draw.ts';
import { mermaidSystem } from '../../domain/system/mermaid.ts';
import { COLUMNS, STAGE_IDS } from '../../domain/system/stages.ts';
import { readSystem } from '../../system/read.ts';
import type { Api, RouteDeps } from '../app.ts';
import { actorOf, agentScope } from '../auth.ts';
import { agentNameSchema, givenInstantSchema, instantSchema, textSchema } from '../schemas.ts';

const figures = {
  events: z.number().int(),
  perMinute: z.number(),
  p95Ms: z.number().nullable(),
  errors: z.number().int().nullable(),
  errorShare: z.number().nullable(),
  lastSeen: instantSchema.nullable(),
};

const stageSchema = z.object({
  id: z.enum(STAGE_IDS),
  column: z.enum(COLUMNS),
  title: z.string(),
  inputs: z.string(),
  outputs: z.string(),
  boundary: z.string(),
  whenBroken: z.string(),
  counts: z.string().describe('What its events are'),
  errors: z.string().optional().describe('Which of them are errors'),
  takes: z.string().optional().describe('From what to what its p95 runs'),
  owner: z.string(),
  lookAt: z.object({ doc: z.string(), test: z.string() }),
  figures: z.object(figures),
  nodes: z.array(z.object({ name: z.string(), events: z.number().int(), detail: z.string().optional() })),
  lit: z.boolean().describe('On the path of the incident that is shown'),
  failed: z.boolean().describe('The link that failed in it'),
});

const toolSchema = z.object({
  agent: z.string(),
  tool: z.string(),
  kind: z.enum(['read', 'write']),
  risk: z.enum(RISKS),
  owner: z.string(),
  line: z.enum(['enforced', 'advisory', 'outside', 'idle']),
  ...figures,
  denied: z.number().int(),
  waited: z.number().int(),
  begun: z.number().int(),
  executed: z.number().int(),
  corrected: z.number().int(),
  outside: z.string().describe('What is known of writes upstream that had no begin'),
  lit: z.boolean(),
});

const viewSchema = z
  .object({
    asOf: instantSchema,
    from: instantSchema,
    shortened: z.boolean().describe('More was asked than is looked at: from is later than asked for'),
    agents: z.array(z.string()),
    stages: z.array(stageSchema),
    tools: z.array(toolSchema),
    notes: z.array(z.string()),
    incident: z
      .object({
        id: z.string(),
        title: z.string(),
        openedAt: instantSchema,
        mechanism: z.string().nullable(),
        failed: z.enum(STAGE_IDS).nullable(),
      })
      .optional(),
  })
  .meta({ id: 'SystemView' });

const FORMATS = ['json', 'svg', 'mermaid'] as const;
type Format = (typeof FORMATS)[number];
const MERMAID = 'text/vnd.mermaid';

/** What there is of the system at a moment, as data, picture or text. */
export function systemRoutes(app: Api, { services }: RouteDeps): void {
  app.get(
    '/v1/system',
    {
      schema: {
        operationId: 'getSystem',
        tags: ['system'],
        summary: 'The system at a moment, drawn from records: stages, tools, and the path of an incident',
        querystring: z.object({
          agent: agentNameSchema.optional(),
          at: givenInstantSchema.optional().describe('As it stood then; default: now'),
          incident: textSchema(200, 1).optional().describe('As it stood when this was opened'),
          window: textSchema(20, 1).optional().describe('How far back is looked, such as 1h (the default)'),
          format: z.enum(FORMATS).optional().describe('Default: by Accept, else json'),
          idle: z.enum(['true', 'false']).optional().describe('Also draw what had nothing in the window'),
        }),
        response: {
          200: {
            description: 'The view',
            content: {
              'application/json': { schema: viewSchema },
              'image/svg+xml': { schema: z.string() },
              [MERMAID]: { schema: z.string() },
            },
          },
        },
      },
    },
    async (request, reply) => {
      const actor = actorOf(request);
      const { agent, at, incident, window, idle } = request.query;
      const view = await readSystem(services, actor, {
        agent: agentScope(actor, agent),
        at: at === undefined ? undefined : new Date(at),
        incident,
        window,
      });
      const options = { idle: idle === 'true' };
      const format = request.query.format ?? acceptedBy(request);
      if (format === 'svg')
        return reply.type('image/svg+xml').serializer(String).send(drawSystem(view, options));
      if (format === 'mermaid')
        return reply.type(`${MERMAID}; charset=utf-8`).serializer(String).send(mermaidSystem(view, options));
      return reply.type('application/json').send(view as z.input<typeof viewSchema>);
    },
  );
}

function acceptedBy({ headers }: FastifyRequest): Format {
  const accept = headers.accept ?? '';
  if (accept.includes('image/svg+xml')) return 'svg';
  return accept.includes(MERMAID) ? 'mermaid' : 'json';
}
