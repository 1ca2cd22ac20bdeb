import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { fetch } from 'undici';
import { AppError } from '../errors.ts';
import { assertOutward, outward } from '../net/outward.ts';
import type { Services } from '../services.ts';

const keySets = new Map<string, JWTVerifyGetKey>();

/** What somebody the agent's manifest trusts says about a request. */
export interface Vouched {
  attributes: Record<string, unknown>;
  /** What the request is about. */
  sub?: string;
}

/**
 * What a signed assertion says (a JWT whose `attributes` claim holds the attributes, and whose `sub` may name the
 * subject), checked against the agent's key set. No assertion: nothing.
 * @throws AppError `invalid_input` when it is not what the agent's manifest says it must be
 */
export async function verifyAssertion(
  services: Services,
  agent: string,
  assertion: string | undefined,
): Promise<Vouched> {
  if (assertion === undefined) return { attributes: {} };
  const world = await services.worlds.get(agent);
  const source = world?.agent.assertions;
  if (!source?.jwks) {
    throw new AppError(
      'invalid_input',
      `Cannot use the assertion: agent "${agent}" names no assertions.jwks`,
    );
  }
  try {
    const { payload } = await jwtVerify(assertion, keySetOf(source.jwks), {
      issuer: source.issuer,
      audience: agent,
      currentDate: services.clock.now(),
      clockTolerance: 5,
      requiredClaims: ['exp'],
    });
    const { sub, attributes = sub === undefined ? undefined : {} } = payload;
    if (typeof attributes !== 'object' || attributes === null || Array.isArray(attributes)) {
      throw new AppError('invalid_input', 'The assertion has no "attributes" object');
    }
    return { attributes: { ...attributes }, ...(sub !== undefined && { sub }) };
  } catch (error) {
    if (error instanceof AppError) throw error;
    const why = error instanceof errors.JOSEError ? error.code : 'its keys cannot be fetched';
    throw new AppError('invalid_input', `Cannot use the assertion: ${why}`, {}, { cause: error });
  }
}

function keySetOf(url: string): JWTVerifyGetKey {
  const known = keySets.get(url);
  if (known) return known;
  const made = createRemoteJWKSet(new URL(url), {
    timeoutDuration: 2_000,
    [customFetch]: async (address, options) => {
      assertOutward(address);
      const headers = Object.fromEntries(options.headers);
      return (await fetch(address, { ...options, headers, dispatcher: outward })) as unknown as Response;
    },
  });
  keySets.set(url, made);
  return made;
}
