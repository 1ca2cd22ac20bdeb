import type { FastifyInstance } from 'fastify';
import { SLACK_BODY_BYTES_MAX, type SlackHttpAnswer } from './http-receiver.ts';
import type { SlackHttpRequest } from './http-request.ts';

/**
 * Registers `POST /slack/events` in a scope of its own, where bodies stay bytes. It knows its callers by their
 * signature, so the limit for callers without a token is not for it: a flood must not shut approvers out.
 */
export function slackRoute(
  app: FastifyInstance,
  answer: (request: SlackHttpRequest) => Promise<SlackHttpAnswer>,
): void {
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      '*',
      { parseAs: 'buffer', bodyLimit: SLACK_BODY_BYTES_MAX },
      async (_: unknown, body: Buffer) => body,
    );
    scope.setErrorHandler((error: { statusCode?: number }, request, reply) => {
      const status = error.statusCode ?? 500;
      if (status >= 500) request.log.error({ err: error }, 'a request of Slack failed');
      return reply.code(status).type('text/plain').send('The request cannot be read');
    });
    const options = { config: { rateLimit: false as const, public: true }, schema: { hide: true } };
    scope.post('/slack/events', options, async (request, reply) => {
      const rawBody = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const { status, headers, body } = await answer({ headers: request.headers, rawBody });
      return reply.code(status).headers(headers).send(body);
    });
  });
}
