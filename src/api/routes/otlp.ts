import { PassThrough } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { FastifyReply, preParsingHookHandler } from 'fastify';
import { z } from 'zod';
import { AppError } from '../../errors.ts';
import { decodeOtlp, encodeAnswer, readOtlp } from '../../metric-sources/otlp/request.ts';
import { type OtlpRecorded, recordOtlp } from '../../outcomes/record-otlp.ts';
import type { Api, RouteDeps } from '../app.ts';
import { actorOf } from '../auth.ts';

const PROTOBUF = 'application/x-protobuf';

const answerSchema = z.object({
  partialSuccess: z
    .object({
      rejectedDataPoints: z
        .string()
        .describe('How many points of metrics with a source could not be counted'),
      errorMessage: z.string().describe('Why the first of them could not'),
    })
    .optional(),
});

/** Metrics as OpenTelemetry's exporters send them: OTEL_EXPORTER_OTLP_ENDPOINT is the address of the service and /v1/otlp. */
export function otlpRoutes(app: Api, { services }: RouteDeps): void {
  app.addContentTypeParser(PROTOBUF, { parseAs: 'buffer' }, async (_: unknown, body: Buffer) => body);
  app.post(
    '/v1/otlp/v1/metrics',
    {
      preParsing: unzipped,
      schema: {
        operationId: 'recordMetrics',
        tags: ['outcomes'],
        summary: 'Take metrics from an OpenTelemetry exporter (OTLP/HTTP)',
        description:
          'ExportMetricsServiceRequest in JSON or protobuf, gzip or not. Counters and histograms that a metric of the agent names under source.otlp are counted, once however often they are sent; all others are let pass. The agent is that of the token.',
        body: z.unknown(),
        response: { 200: answerSchema },
      },
    },
    async (request, reply) => {
      const actor = actorOf(request);
      const { body } = request;
      const decoded = Buffer.isBuffer(body) ? decodeOtlp(body) : { body };
      const read = 'problem' in decoded ? decoded : readOtlp(decoded.body);
      if ('problem' in read) throw new AppError('invalid_input', `Cannot read the metrics: ${read.problem}`);
      return answer(reply, Buffer.isBuffer(body), await recordOtlp(services, actor, read.exports));
    },
  );
}

/** The limit of a body holds for what it unpacks to. */
const unzipped: preParsingHookHandler = (request, _reply, payload, done) => {
  const encoding = request.headers['content-encoding'];
  if (encoding === undefined || encoding === 'identity') return done(null, payload);
  if (encoding !== 'gzip')
    return done(
      new AppError('invalid_input', `Cannot read a body in "${encoding}": send it plain or in gzip`),
    );
  let received = 0;
  payload.on('data', (chunk: Buffer) => {
    received += chunk.length;
  });
  const plain = new PassThrough();
  const unzip = createGunzip().on('error', () =>
    plain.destroy(new AppError('invalid_input', 'Cannot read the body: it is no gzip')),
  );
  payload.pipe(unzip).pipe(plain);
  // What it is compared with the header Content-Length by.
  Object.defineProperty(plain, 'receivedEncodedLength', { get: () => received });
  return done(null, plain);
};

function answer(reply: FastifyReply, isProtobuf: boolean, { rejected, message }: OtlpRecorded) {
  if (isProtobuf) return reply.type(PROTOBUF).send(encodeAnswer(rejected, message));
  return rejected === 0
    ? {}
    : { partialSuccess: { rejectedDataPoints: String(rejected), errorMessage: message } };
}
