import type { TokenView } from '../../tokens/list.ts';
import type { Wire } from '../wire.ts';
import { formatTimeAndDistance } from './format.ts';
import { shortIds } from './ids.ts';
import { command, table } from './render.ts';

export type WireToken = Wire<TokenView>;

/** Neither revoked nor expired. */
export const isValid = ({ revokedAt, expiresAt }: WireToken, now: Date): boolean =>
  revokedAt === undefined && (expiresAt === undefined || new Date(expiresAt) > now);

/** Who may call, for admins. */
export function tokensText(tokens: readonly WireToken[], now: Date, width: number): string {
  if (tokens.length === 0)
    return `No tokens. Make one for an agent:\n${command('portcullis token create --role agent --agent <agent>')}`;
  const short = shortIds(tokens.map(({ id }) => id));
  const rows = tokens.map((one) => [
    short(one.id),
    one.roles.join(', '),
    whoseText(one),
    timesText(one, now),
  ]);
  return table(['token', 'may', 'whose', 'valid'], rows, width);
}

function whoseText({ person, agent, attributes }: WireToken): string {
  const trusted = Object.entries(attributes).map(([name, value]) => `${name}=${String(value)}`);
  return [person, agent && `agent ${agent}`, ...trusted].filter((part) => part).join('\n') || '-';
}

function timesText({ createdAt, createdBy, expiresAt, revokedAt }: WireToken, now: Date): string {
  const made = `made ${formatTimeAndDistance(createdAt, now)} by ${createdBy}`;
  if (revokedAt) return `REVOKED ${formatTimeAndDistance(revokedAt, now)}\n${made}`;
  if (!expiresAt) return `without an end\n${made}`;
  const word = new Date(expiresAt) > now ? 'until' : 'EXPIRED';
  return `${word} ${formatTimeAndDistance(expiresAt, now)}\n${made}`;
}
