import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { fetch } from 'undici';
import { AppError } from '../errors.ts';
import { assertOutward, outward } from '../net/outward.ts';
import type { Services } from '../services.ts';

const keySets = new Map<string, JWTVerifyGetKey>();

/**
 * The attributes in a signed assertion (a JWT whose `attributes` claim holds them), checked against the agent's key
 * set. No assertion: no attributes.
 * @throws AppError `invalid_input` when it is not what the agent's manifest says it must be
 */
export async function verifyAssertion(
  services: Services,
  agent: string,
  assertion: string | undefined,
): Promise<Record<string, unknown>> {
  if (assertion === undefined) return {};
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
    const { attributes } = payload;
    if (typeof attributes !== 'object' || attributes === null || Array.isArray(attributes)) {
      throw new AppError('invalid_input', 'The assertion has no "attributes" object');
    }
    return { ...attributes };
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
