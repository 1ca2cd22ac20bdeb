import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Services } from '../services.ts';
import type { WorkerState } from '../temporal/current-version.ts';
import type { LookUp } from '../tokens/tokens.ts';
import type { ActionWaiter } from './action-waiter.ts';
import type { BoundSizes, Bounds } from './bounds.ts';
import type { BudgetSizes, Budgets } from './budgets.ts';
import type { EventStreams, StreamLimits } from './event-stream.ts';
import type { ManifestReader } from './manifest-reader.ts';
import type { ApiMetrics } from './metrics.ts';
import type { SignInLinks } from './sign-in-links.ts';

/** The server as routes see it: requests are typed by their zod schemas. */
export type Api = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse<IncomingMessage>,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** What every route is given. */
export interface RouteDeps {
  services: Services;
  waiter: ActionWaiter;
  streams: EventStreams;
  metrics: ApiMetrics;
  budgets: Budgets;
  bounds: Bounds;
  manifests: ManifestReader;
  options: ApiOptions;
}

export interface ApiOptions {
  /** Whether Temporal answers; shown by `/readyz`. */
  temporal?: () => Promise<boolean>;
  /** Names, besides that of `publicUrl`, for which it answers. */
  allowedHosts?: readonly string[];
  /** What the worker of this process does, where it has one; shown by `/readyz`. */
  worker?: () => WorkerState | undefined;
  /** Proxies whose `X-Forwarded-*` is believed: addresses and networks. */
  trustProxy?: readonly string[];
  /** What each kind of caller may send in a minute. */
  budgets?: Partial<BudgetSizes>;
  /** What this process holds at once, at most. */
  bounds?: Partial<BoundSizes>;
  /** How the streams of events of this process are served. */
  streamLimits?: Partial<StreamLimits>;
  /** Links that sign in once, for whoever starts the service. */
  signIn?: SignInLinks;
  /** Registers what another surface answers on the same listener. */
  mount?: (app: FastifyInstance) => void;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Named in the OpenAPI document as free of a token. */
    public?: boolean;
    /** `memory`: what the route asks of the store says in the same statement whether the token stands. */
    tokenIn?: LookUp;
  }
}
