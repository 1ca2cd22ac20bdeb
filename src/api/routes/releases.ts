import { z } from 'zod';
import { requireRole } from '../../actor.ts';
import { agentView } from '../../agents/list.ts';
import type { Release } from '../../domain/release.ts';
import { releaseByVersion } from '../../records/release.ts';
import { adoptRelease } from '../../releases/adopt.ts';
import { createRelease, previewRelease } from '../../releases/create.ts';
import type { Api, RouteDeps } from '../app.ts';
import { actorOf, requireReader } from '../auth.ts';
import { agentNameSchema, anyObjectSchema, changeSchema, flagSchema, reasonSchema } from '../schemas.ts';
import { assertNamed, manifestBody } from './agents.ts';

const tags = ['releases'];
const releaseParams = z.object({ agent: agentNameSchema, release: agentNameSchema.describe('Its version') });

/**
 * The release that was sent, checked against its agent.
 * @throws AppError `unknown_agent`, `manifest_invalid` with every problem, `invalid_input` for another agent's
 */
export async function releaseOfBody(
  { services, manifests }: Pick<RouteDeps, 'services' | 'manifests'>,
  agent: string,
  body: string | Record<string, unknown>,
): Promise<Release> {
  const { manifest } = await agentView(services.db.sql, agent);
  const release = await manifests.release(body, manifest);
  assertNamed(agent, release);
  return release;
}

/** Permission sets. */
export function releaseRoutes(app: Api, deps: RouteDeps): void {
  const { services } = deps;
  createRoute(app, deps);
  app.get(
    '/v1/agents/:agent/releases/:release',
    {
      schema: {
        operationId: 'getRelease',
        tags,
        summary: 'The manifest of one release',
        params: releaseParams,
        response: { 200: z.object({ agent: z.string(), version: z.string(), manifest: anyObjectSchema }) },
      },
    },
    async (request) => {
      const { agent, release } = request.params;
      requireReader(actorOf(request), agent);
      const manifest = await releaseByVersion(services.db.sql, agent, release);
      return { agent, version: release, manifest: { ...manifest } };
    },
  );
  app.post(
    '/v1/agents/:agent/releases/:release/adopt',
    {
      schema: {
        operationId: 'adoptRelease',
        tags,
        summary: 'Put a release in force at once',
        description: 'Only the first one, if every write in it asks a person, or one that only takes away.',
        params: releaseParams,
        body: z.strictObject({ reason: reasonSchema.default('adopted') }).nullish(),
        response: {
          200: z.object({ agent: z.string(), version: z.string(), segments: z.array(z.string()) }),
        },
      },
    },
    async (request) => {
      const { agent, release: version } = request.params;
      const reason = request.body?.reason ?? 'adopted';
      const adopted = await adoptRelease(services, actorOf(request), { agent, version, reason });
      return { ...adopted, segments: [...adopted.segments] };
    },
  );
}

function createRoute(app: Api, { services, manifests }: RouteDeps): void {
  app.post(
    '/v1/agents/:agent/releases',
    {
      schema: {
        operationId: 'createRelease',
        tags,
        summary: 'Store a release',
        description:
          'As JSON or as YAML. A release is immutable; `path` says how it goes on. With dryRun=true nothing is written.',
        params: z.object({ agent: agentNameSchema }),
        querystring: z.object({ dryRun: flagSchema }),
        body: manifestBody,
        response: {
          200: z.object({
            agent: z.string(),
            version: z.string(),
            dryRun: z.boolean(),
            created: z.boolean(),
            digest: z.string().optional(),
            path: z.enum(['adopt', 'apply-at-once', 'rollout', 'in-force']),
            changes: z.array(changeSchema),
          }),
        },
      },
    },
    async (request) => {
      const actor = actorOf(request);
      const { agent: name } = request.params;
      requireRole(actor, ['release-manager'], name);
      const release = await releaseOfBody({ services, manifests }, name, request.body);
      if (request.query.dryRun === 'true') {
        const preview = await previewRelease(services.db.sql, release);
        return { agent: name, version: release.release, dryRun: true, created: false, ...preview };
      }
      return { ...(await createRelease(services, actor, release)), dryRun: false };
    },
  );
}
