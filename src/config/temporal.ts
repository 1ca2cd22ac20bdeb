import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { optional, wholeNumber } from './values.ts';

const SLOTS_MAX = 1_000;
/** Temporal's worker needs two to keep workflows in memory. */
const SLOTS_MIN = 2;
const slots = () => optional(wholeNumber(SLOTS_MIN, SLOTS_MAX));
const path = () => optional(z.string().min(1));

/** How Temporal is reached, under the names that its own CLI and SDKs read, and how much of its work is done at once. */
export const temporalVariables = {
  TEMPORAL_ADDRESS: optional(z.string().regex(/^[^\s/]+:\d+$/, 'must be host:port')),
  TEMPORAL_NAMESPACE: optional(z.string().min(1)),
  TEMPORAL_TLS: optional(z.enum(['true', 'false'], 'must be true or false')),
  TEMPORAL_TLS_SERVER_CA_CERT_PATH: path(),
  TEMPORAL_TLS_SERVER_NAME: optional(z.string().regex(/^[\w.-]+$/, 'must be a name without a port')),
  TEMPORAL_TLS_CLIENT_CERT_PATH: path(),
  TEMPORAL_TLS_CLIENT_KEY_PATH: path(),
  TEMPORAL_API_KEY: optional(z.string().regex(/^[\x21-\x7e]+$/, 'must be one word of printable characters')),
  PORTCULLIS_SLOTS_APPROVALS: slots(),
  PORTCULLIS_SLOTS_ROLLOUTS: slots(),
  PORTCULLIS_SLOTS_ALERTS: slots(),
  PORTCULLIS_SLOTS_CALLBACKS: slots(),
};

export interface TemporalConfig {
  /** Absent: an embedded one. */
  address?: string;
  namespace: string;
  /** Absent: in clear text. Without a CA those count that the operating system trusts. */
  tls?: { serverCaPath?: string; serverName?: string; clientCertPath?: string; clientKeyPath?: string };
  apiKey?: string;
  /** How much of each kind is done at once in one process. */
  slots: { approvals: number; rollouts: number; alerts: number; callbacks: number };
}

const TLS = [
  'TEMPORAL_TLS_SERVER_CA_CERT_PATH',
  'TEMPORAL_TLS_SERVER_NAME',
  'TEMPORAL_TLS_CLIENT_CERT_PATH',
  'TEMPORAL_TLS_CLIENT_KEY_PATH',
] as const;

/** What is set by halves, or against something else that is set. */
export function temporalProblems(env: NodeJS.ProcessEnv): string[] {
  const { TEMPORAL_ADDRESS: address, TEMPORAL_API_KEY: apiKey, TEMPORAL_TLS: tls } = env;
  const { TEMPORAL_TLS_CLIENT_CERT_PATH: cert, TEMPORAL_TLS_CLIENT_KEY_PATH: key } = env;
  const given = TLS.filter((name) => env[name]);
  const problems: string[] = [];
  if (cert && !key)
    problems.push('TEMPORAL_TLS_CLIENT_KEY_PATH: is missing beside TEMPORAL_TLS_CLIENT_CERT_PATH');
  if (key && !cert)
    problems.push('TEMPORAL_TLS_CLIENT_CERT_PATH: is missing beside TEMPORAL_TLS_CLIENT_KEY_PATH');
  if (tls === 'false' && given.length > 0)
    problems.push(`TEMPORAL_TLS: is false beside ${given.join(', ')}; unset one or the other`);
  if (apiKey && tls !== 'true' && (tls === 'false' || given.length === 0))
    problems.push(
      'TEMPORAL_API_KEY: would be sent in clear text; set TEMPORAL_TLS=true (Temporal Cloud needs nothing else)',
    );
  if (!address) {
    const without = [
      ...(tls === 'true' ? ['TEMPORAL_TLS'] : []),
      ...given,
      ...(apiKey ? ['TEMPORAL_API_KEY'] : []),
    ];
    if (without.length > 0)
      problems.push(
        `TEMPORAL_ADDRESS: is missing beside ${without.join(', ')}; the embedded server needs none`,
      );
  }
  return problems;
}

/** Of what was read; half of it was refused before. */
export function temporalOf(data: z.infer<z.ZodObject<typeof temporalVariables>>): TemporalConfig {
  const tls = {
    serverCaPath: data.TEMPORAL_TLS_SERVER_CA_CERT_PATH,
    serverName: data.TEMPORAL_TLS_SERVER_NAME,
    clientCertPath: data.TEMPORAL_TLS_CLIENT_CERT_PATH,
    clientKeyPath: data.TEMPORAL_TLS_CLIENT_KEY_PATH,
  };
  const isOn = data.TEMPORAL_TLS === 'true' || Object.values(tls).some((value) => value !== undefined);
  return {
    address: data.TEMPORAL_ADDRESS,
    namespace: data.TEMPORAL_NAMESPACE ?? 'default',
    ...(isOn ? { tls } : {}),
    apiKey: data.TEMPORAL_API_KEY,
    slots: slotsOf(data),
  };
}

/** Rollouts do little and seldom; callbacks and alerts mostly wait for somebody's server. */
function slotsOf(data: z.infer<z.ZodObject<typeof temporalVariables>>): TemporalConfig['slots'] {
  const cores = availableParallelism();
  return {
    approvals: data.PORTCULLIS_SLOTS_APPROVALS ?? 20 * cores,
    rollouts: data.PORTCULLIS_SLOTS_ROLLOUTS ?? 5 * cores,
    alerts: data.PORTCULLIS_SLOTS_ALERTS ?? 20 * cores,
    callbacks: data.PORTCULLIS_SLOTS_CALLBACKS ?? 40 * cores,
  };
}
