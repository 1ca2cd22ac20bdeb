import type { FastifyInstance, FastifyRequest } from 'fastify';
import { parseExactJson } from '../domain/exact-json.ts';
import { AppError } from '../errors.ts';
import { Turns } from '../turns.ts';

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** Bytes that are not UTF-8 would be read differently by others. */
function decode(bytes: Buffer): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    throw new AppError('args_not_exact', 'Cannot read the body: it is not valid UTF-8');
  }
}

/**
 * Every JSON body is read exactly; YAML stays text, forms become flat records of text, of lists where a name
 * repeats.
 */
export function readBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    /^application\/(?:[\w.-]+\+)?json(?:\s*;|$)/,
    { parseAs: 'buffer' },
    async (_: FastifyRequest, body: Buffer) => {
      if (body.length === 0) return undefined;
      const turns = new Turns();
      const parsed = parseExactJson(decode(body));
      // Reading a large body was a turn of its own; what is done with it is another.
      await turns.next();
      if (parsed.ok) return parsed.value;
      throw new AppError('args_not_exact', parsed.message, { path: parsed.path, hint: parsed.hint });
    },
  );
  app.addContentTypeParser(
    /^(?:application\/(?:x-)?yaml|text\/(?:x-)?yaml)(?:\s*;|$)/,
    { parseAs: 'buffer' },
    async (_: FastifyRequest, body: Buffer) => decode(body),
  );
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'buffer' },
    async (_: FastifyRequest, body: Buffer) => formOf(new URLSearchParams(decode(body))),
  );
}

/** Browsers send every line break of a form as CR LF; people typed a line break. */
const withLineFeeds = (text: string): string => text.replaceAll('\r\n', '\n');

function formOf(params: URLSearchParams): Record<string, string | string[]> {
  const names = [...new Set(params.keys())];
  return Object.fromEntries(
    names.map((name) => {
      const values = params.getAll(name).map(withLineFeeds);
      return [name, values.length === 1 ? (values[0] ?? '') : values];
    }),
  );
}
