import { randomUUID, timingSafeEqual } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { jwtVerify, SignJWT } from 'jose';
import type { Actor } from '../../actor.ts';
import { AppError } from '../../errors.ts';
import type { Services } from '../../services.ts';
import { endSession, isSessionEnded } from '../../tokens/sessions.ts';
import { authenticate, authenticateById } from '../../tokens/tokens.ts';
import { PEOPLE, tokenIdOf } from '../auth.ts';

const SESSION_S = 4 * 3_600;
const ALGORITHM = 'HS256';
const TYPE = 'portcullis-session+jwt';

/** A signed-in person: who, and the token that the forms of this session carry. */
export interface Session {
  actor: Actor;
  formToken: string;
}

/** A key of its own, derived from the installation's secret: no other signature can pass for a session. */
const keyOf = ({ keys }: Services): Uint8Array => Buffer.from(keys.hmac('web session key, version 1'), 'hex');

const isSecure = ({ publicUrl }: Services): boolean => publicUrl.startsWith('https:');
const cookieName = (services: Services): string =>
  isSecure(services) ? '__Host-portcullis' : 'portcullis_session';

/**
 * Turns a pasted token, or one known by its id, into a session cookie that holds the id, signed, for at most four hours.
 * @throws AppError `unauthenticated`, `forbidden` for tokens of agents and admins
 */
export async function openSession(
  services: Services,
  reply: FastifyReply,
  token: string | { tokenId: string },
): Promise<void> {
  const actor =
    typeof token === 'string'
      ? await authenticate(services, token, 'web')
      : await authenticateById(services, token.tokenId, 'web');
  if (!actor.roles.some((role) => PEOPLE.includes(role))) {
    throw new AppError('forbidden', 'The pages are for people: this token is an agent’s or an admin’s');
  }
  const issuedS = Math.floor(services.clock.now().getTime() / 1_000);
  const jwt = await new SignJWT({ sub: tokenIdOf(actor), jti: randomUUID() })
    .setProtectedHeader({ alg: ALGORITHM, typ: TYPE })
    .setIssuedAt(issuedS)
    .setExpirationTime(issuedS + SESSION_S)
    .sign(keyOf(services));
  setCookie(services, reply, jwt, SESSION_S);
}

/** Ends the session of a request, also for whoever has a copy of its cookie. */
export async function closeSession(
  services: Services,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const payload = await payloadOf(services, request);
  if (payload) await endSession(services, { id: payload.jti, until: new Date(payload.exp * 1_000) });
  setCookie(services, reply, '', 0);
}

function setCookie(services: Services, reply: FastifyReply, value: string, maxAge: number): void {
  const secure = isSecure(services);
  const options = { path: '/', httpOnly: true, sameSite: 'strict', maxAge, secure } as const;
  reply.setCookie(cookieName(services), value, options);
}

/** Which session the cookie is of; it may have been signed out of since. Nothing is asked of the store. */
export const sessionIdOf = async (services: Services, request: FastifyRequest): Promise<string | undefined> =>
  (await payloadOf(services, request))?.jti;

/** The session of a request's cookie; `undefined` when there is none or it is over. */
export async function sessionOf(services: Services, request: FastifyRequest): Promise<Session | undefined> {
  const payload = await payloadOf(services, request);
  if (!payload) return undefined;
  try {
    const actor = await authenticateById(services, payload.sub, 'web');
    if (await isSessionEnded(services, payload.jti)) return undefined;
    return { actor, formToken: services.keys.hmac(`form ${payload.jti}`) };
  } catch (error) {
    if (error instanceof AppError && error.code === 'unauthenticated') return undefined;
    throw error;
  }
}

interface SessionPayload {
  /** The token's id. */
  sub: string;
  jti: string;
  exp: number;
}

/** What the cookie says, if it is ours and not over. */
async function payloadOf(services: Services, request: FastifyRequest): Promise<SessionPayload | undefined> {
  const jwt = request.cookies[cookieName(services)];
  if (!jwt) return undefined;
  try {
    const { payload } = await jwtVerify<SessionPayload>(jwt, keyOf(services), {
      algorithms: [ALGORITHM],
      typ: TYPE,
      currentDate: services.clock.now(),
      requiredClaims: ['exp', 'sub', 'jti'],
    });
    return payload;
  } catch {
    return undefined;
  }
}

/**
 * A form that another site made a browser send is refused: the browser says where it comes from.
 * @throws AppError `forbidden`
 */
export function requireSameOrigin(services: Services, request: FastifyRequest): void {
  const source = request.headers.origin ?? request.headers.referer;
  const hosts = [request.host, hostOf(services.publicUrl)];
  if (source !== undefined && hosts.includes(hostOf(source))) return;
  throw new AppError('forbidden', 'The form was not sent from a page of this service');
}

const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).host : ' none ');

/**
 * By hand: @fastify/csrf-protection ties a form to a cookie of its own, this ties it to the session, and ends with it.
 * @throws AppError `forbidden` when the form was not made for this session
 */
export function requireFormToken({ formToken }: Session, sent: unknown): void {
  const [expected, given] = [Buffer.from(formToken), Buffer.from(String(sent ?? ''))];
  if (expected.length === given.length && timingSafeEqual(expected, given)) return;
  throw new AppError('forbidden', 'The form is of another session: open the page again');
}
