import type { Generated } from 'kysely';
import type { Json, JsonOrNull, Timestamp } from './columns.ts';

export interface InstallationTable {
  id: number;
  epoch: number;
  /** In clear, of a version before keys were sealed; null since its first start after that. */
  secret: Buffer | null;
  signing_key: JsonOrNull<Record<string, unknown>>;
  sealed_secret: string | null;
  /** What all processes have in common (src/installation); null: nobody has said it yet. */
  day_ms: number | null;
  public_url: string | null;
  issuer: string | null;
  /** Rises with every token that ends or changes. */
  token_epoch: Generated<number>;
}

export interface SigningKeyTable {
  kid: string;
  public_jwk: Json<Record<string, unknown>>;
  /** Null once it is retired. */
  sealed: string | null;
  created_at: Timestamp;
  retired_at: Timestamp | null;
  served_until: Timestamp | null;
}

export interface TokenTable {
  id: string;
  hash: string;
  roles: string[];
  agent: string | null;
  person: string | null;
  attributes: Json<Record<string, unknown>>;
  created_at: Timestamp;
  created_by: string;
  expires_at: Timestamp | null;
  revoked_at: Timestamp | null;
}

export interface EndedSessionTable {
  id: string;
  until: Timestamp;
}

/** The installation with its keys, and who may call. */
export interface AccessTables {
  installation: InstallationTable;
  signing_key: SigningKeyTable;
  token: TokenTable;
  ended_session: EndedSessionTable;
}
