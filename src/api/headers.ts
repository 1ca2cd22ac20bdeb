import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import helmet from 'helmet';

type Headers = Readonly<Record<string, string>>;

/** What a browser may do with a page. */
const PAGE_OPTIONS = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'", 'data:'],
      formAction: ["'self'"],
      frameAncestors: ["'none'"],
      baseUri: ["'none'"],
    },
  },
  // With no-referrer a browser sends "Origin: null" with a form, and the forms could not be told from forged ones.
  referrerPolicy: { policy: 'same-origin' },
} as const;

/** What helmet sets is the same for every request: asked once, not every time. */
function askHelmet(hsts: boolean): Headers {
  const headers: Record<string, string> = {};
  const answer = {
    setHeader: (name: string, value: string) => {
      headers[name.toLowerCase()] = value;
    },
    removeHeader: () => {},
  };
  const refuse = (error?: unknown) => {
    if (error) throw error;
  };
  helmet({ ...PAGE_OPTIONS, hsts })({} as IncomingMessage, answer as unknown as ServerResponse, refuse);
  return headers;
}

const [OVER_HTTP, OVER_HTTPS] = [askHelmet(false), askHelmet(true)];
/** What means something for any answer, whoever reads it; all else is about pages. */
const FOR_EVERY_ANSWER = ['x-content-type-options', 'strict-transport-security'];
const pick = (headers: Headers): Headers =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => FOR_EVERY_ANSWER.includes(name)));
const [EVERY_OVER_HTTP, EVERY_OVER_HTTPS] = [pick(OVER_HTTP), pick(OVER_HTTPS)];

const isSecure = (publicUrl: string): boolean => publicUrl.startsWith('https:');

/** Sets what goes out with every answer. */
export const protectAnswer = (reply: FastifyReply, publicUrl: string): FastifyReply =>
  reply.headers(isSecure(publicUrl) ? EVERY_OVER_HTTPS : EVERY_OVER_HTTP);

/** Sets what a page, a form or what they load is sent with besides. */
export const protectPage = (reply: FastifyReply, publicUrl: string): FastifyReply =>
  reply.headers(isSecure(publicUrl) ? OVER_HTTPS : OVER_HTTP);

/** What the API answers is for whoever asked: no cache keeps it. */
export const protectData = (reply: FastifyReply): FastifyReply => reply.header('cache-control', 'no-store');
