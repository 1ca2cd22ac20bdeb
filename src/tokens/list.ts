import { type Actor, type Role, requireRole } from '../actor.ts';
import type { Services } from '../services.ts';

/** A token as admins see it; its text is nowhere. */
export interface TokenView {
  id: string;
  roles: Role[];
  agent?: string;
  person?: string;
  /** Trusted attributes of its requests. */
  attributes: Record<string, unknown>;
  createdAt: Date;
  createdBy: string;
  expiresAt?: Date;
  revokedAt?: Date;
}

/** Newest first. An admin of one agent sees that agent's tokens. */
export async function listTokens(services: Services, actor: Actor): Promise<TokenView[]> {
  requireRole(actor, ['admin']);
  let query = services.db.sql.selectFrom('token').selectAll().orderBy('created_at', 'desc').orderBy('id');
  if (actor.agent !== undefined) query = query.where('agent', '=', actor.agent);
  const rows = await query.execute();
  return rows.map((row) => ({
    id: row.id,
    roles: row.roles as Role[],
    agent: row.agent ?? undefined,
    person: row.person ?? undefined,
    attributes: row.attributes,
    createdAt: row.created_at,
    createdBy: row.created_by,
    expiresAt: row.expires_at ?? undefined,
    revokedAt: row.revoked_at ?? undefined,
  }));
}
