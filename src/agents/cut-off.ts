import type { Sql } from '../db/database.ts';
import type { Agent } from '../domain/agent.ts';
import { isOfType } from '../domain/decision/attributes.ts';

/** An attribute that the manifest asks for and tokens in use do not carry: what they ask would be denied. */
export interface CutOff {
  attribute: string;
  /** In words for people: the attribute's type, and the segments that go by it. */
  type: string;
  segments: string[];
  tokens: string[];
}

/**
 * Which tokens of the agent applying the manifest would cut off: every request needs every declared attribute. Where
 * attributes come in signed assertions a token without them says nothing.
 */
export async function cutOffBy(db: Sql, agent: Agent, now: Date): Promise<CutOff[]> {
  const declared = Object.entries(agent.attributes);
  if (declared.length === 0 || agent.assertions?.jwks !== undefined) return [];
  const rows = await db
    .selectFrom('token')
    .select(['id', 'attributes', 'roles'])
    .where('agent', '=', agent.agent)
    .where('revoked_at', 'is', null)
    .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', now)]))
    .orderBy('created_at')
    .execute();
  const asking = rows.filter(({ roles }) => roles.includes('agent'));
  return declared.flatMap(([attribute, type]) => {
    const tokens = asking.filter(({ attributes }) => !isOfType(attributes[attribute], type));
    if (tokens.length === 0) return [];
    const named = new RegExp(`\\bcontext\\b.*\\b${attribute}\\b`, 's');
    const segments = agent.segments.filter(({ when }) => named.test(when)).map(({ name }) => name);
    return [{ attribute, type, segments, tokens: tokens.map(({ id }) => id) }];
  });
}
