import { z } from 'zod';
import { requireRole } from '../../actor.ts';
import { applyAgent, previewAgent } from '../../agents/apply.ts';
import { cutOffBy } from '../../agents/cut-off.ts';
import { agentView, listAgents } from '../../agents/list.ts';
import type { Agent } from '../../domain/agent.ts';
import { withoutKeys } from '../../domain/manifest/without-keys.ts';
import { AppError } from '../../errors.ts';
import type { Api, RouteDeps } from '../app.ts';
import { actorOf, maySee, requireReader } from '../auth.ts';
import { agentNameSchema, anyObjectSchema, changeSchema, flagSchema, instantSchema } from '../schemas.ts';

const joinsSchema = z
  .object({
    rollout: z.string(),
    segments: z.array(
      z.object({
        segment: z.string(),
        release: z.string().describe('What serves it until it is exposed'),
        first: z
          .object({ step: z.number().int(), percent: z.number() })
          .optional()
          .describe('The step that exposes it first; none: its release plans nothing for it'),
        triggers: z
          .array(z.object({ metric: z.string(), eValue: z.number(), ofDefault: z.number().optional() }))
          .describe('What its e-value must reach to take it back, and that of default'),
      }),
    ),
    defaultPercent: z.number().describe('How far default is exposed, which those who are in them leave'),
    moreSteps: z.number().int().describe('Steps that the plan gets more'),
    lastDay: z.number().describe('The day on which it then ends at the earliest'),
  })
  .describe('The open rollout that new segments join, with dryRun as with applying');

const params = z.object({ agent: agentNameSchema });
const tags = ['agents'];

/** A manifest arrives as a JSON value or as YAML text. */
export const manifestBody = z.union([anyObjectSchema, z.string()]);

/** What is governed. */
export function agentRoutes(app: Api, deps: RouteDeps): void {
  const { services } = deps;
  applyRoute(app, deps);
  app.get(
    '/v1/agents',
    {
      schema: {
        operationId: 'listAgents',
        tags,
        summary: 'All agents',
        response: {
          200: z.object({ agents: z.array(z.object({ agent: z.string(), revision: z.number() })) }),
        },
      },
    },
    async (request) => {
      const actor = actorOf(request);
      requireReader(actor);
      const agents = await listAgents(services.db.sql);
      return { agents: agents.filter(({ agent }) => maySee(actor, agent)) };
    },
  );
  app.get(
    '/v1/agents/:agent',
    {
      schema: {
        operationId: 'getAgent',
        tags,
        summary: 'One agent: its manifest, its releases and what is in force',
        description:
          'Addresses that it names may hold keys: only release managers see more of them than the host.',
        params,
        response: {
          200: z.object({
            agent: z.string(),
            revision: z.number().int(),
            digest: z.string(),
            appliedAt: instantSchema,
            appliedBy: z.string(),
            manifest: anyObjectSchema,
            inForce: z.array(
              z.object({
                segment: z.string(),
                release: z.string(),
                since: instantSchema,
                because: z.string(),
              }),
            ),
            releases: z.array(
              z.object({ version: z.string(), digest: z.string(), createdAt: instantSchema }),
            ),
          }),
        },
      },
    },
    async (request) => {
      const { agent } = request.params;
      const actor = actorOf(request);
      requireReader(actor, agent);
      const view = await agentView(services.db.sql, agent);
      return {
        ...view,
        manifest: actor.roles.includes('release-manager') ? view.manifest : withoutKeys(view.manifest),
        appliedAt: view.appliedAt.toISOString(),
        inForce: view.inForce.map((row) => ({ ...row, since: row.since.toISOString() })),
        releases: view.releases.map((row) => ({ ...row, createdAt: row.createdAt.toISOString() })),
      };
    },
  );
}

function applyRoute(app: Api, { services, manifests }: RouteDeps): void {
  app.put(
    '/v1/agents/:agent',
    {
      schema: {
        operationId: 'applyAgent',
        tags,
        summary: 'Apply a manifest',
        description: 'As JSON or as YAML (application/yaml). With dryRun=true nothing is written.',
        params,
        querystring: z.object({ dryRun: flagSchema }),
        body: manifestBody,
        response: {
          200: z.object({
            agent: z.string(),
            dryRun: z.boolean(),
            revision: z.number().int().optional(),
            digest: z.string().optional(),
            changes: z.array(changeSchema),
            advisory: z
              .array(z.string())
              .describe('Tools whose key the agent also holds: they can be passed by'),
            testMode: z.boolean(),
            joins: joinsSchema.optional(),
            cutOff: z
              .array(
                z.object({
                  attribute: z.string(),
                  type: z.string(),
                  segments: z.array(z.string()).describe('Those that go by it'),
                  tokens: z.array(z.string()).describe('Tokens in use that do not carry it'),
                }),
              )
              .optional()
              .describe('dryRun: what is asked with these tokens would be denied'),
          }),
        },
      },
    },
    async (request) => {
      const actor = actorOf(request);
      const { agent: name } = request.params;
      requireRole(actor, ['release-manager'], name);
      const { body } = request;
      const agent = await manifests.agent(body);
      assertNamed(name, agent);
      const about = { agent: name, advisory: advisoryTools(agent), testMode: agent.testMode };
      if (request.query.dryRun === 'true') {
        const { db, clock } = services;
        const preview = await previewAgent(db.sql, agent, clock.now());
        return { ...about, ...preview, dryRun: true, cutOff: await cutOffBy(db.sql, agent, clock.now()) };
      }
      return { ...about, dryRun: false, ...(await applyAgent(services, actor, agent)) };
    },
  );
}

/** @throws AppError `invalid_input` when the path names another agent than the manifest */
export function assertNamed(name: string, manifest: { agent: string }): void {
  if (manifest.agent === name) return;
  throw new AppError(
    'invalid_input',
    `The manifest is of agent "${manifest.agent}", the path names "${name}"`,
  );
}

const advisoryTools = (agent: Agent): string[] =>
  Object.entries(agent.tools).flatMap(([name, tool]) => (tool.advisory ? [name] : []));
