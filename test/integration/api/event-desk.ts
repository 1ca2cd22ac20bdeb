import type { FastifyInstance } from 'fastify';
import { type ApiOptions, createApi } from '../../../src/api/server.ts';
import { logHead } from '../../../src/events/read.ts';
import { sequenceLog } from '../../../src/log/sequence.ts';
import { givenApi, type TestApi } from '../../support/api.ts';
import type { MakeServices, TestServices } from '../../support/services.ts';
import { type Followed, type FollowRequest, follow } from './event-client.ts';

/** The API on a port of its own, and whoever follows its events. */
export interface EventDesk {
  api: TestApi;
  services: TestServices;
  base: string;
  /** Numbers what was logged, as the api role does. */
  number(): Promise<number>;
  head(): Promise<number>;
  as(who: keyof TestApi['as'], query?: string, more?: FollowRequest, url?: string): Promise<Followed>;
  /** Another process on the same store, with bounds of its own. */
  another(
    limits: ApiOptions['streamLimits'],
    bounds?: ApiOptions['bounds'],
  ): Promise<{ app: FastifyInstance; url: string }>;
  close(): Promise<void>;
}

export async function openEventDesk(make: MakeServices): Promise<EventDesk> {
  const api = await givenApi(make);
  const { services } = api;
  const base = await api.app.listen({ host: '127.0.0.1', port: 0 });
  const apps = [api.app];
  return {
    api,
    services,
    base,
    number: () => sequenceLog(services.db.sql),
    head: () => logHead(services.db.sql),
    as: (who, query = '', more = {}, url = base) =>
      follow(url, query, { ...more, headers: { ...api.as[who].headers, ...more.headers } }),
    async another(streamLimits, bounds = {}) {
      const app = await createApi(services, { streamLimits, bounds });
      apps.push(app);
      return { app, url: await app.listen({ host: '127.0.0.1', port: 0 }) };
    },
    async close() {
      await Promise.all(apps.map((app) => app.close()));
    },
  };
}
