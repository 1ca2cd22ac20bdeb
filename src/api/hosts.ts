import { isIP } from 'node:net';
import { AppError } from '../errors.ts';

/** For whom a listener answers. */
export interface Hosts {
  publicUrl: string;
  /** More names, without ports. */
  allowedHosts?: readonly string[];
}

/**
 * Refuses requests for a name that is not this service's: a page of another site whose name leads here (DNS rebinding)
 * would otherwise count as one of ours. An IP address or localhost is nobody's name.
 * @throws AppError `host_unknown`
 */
export function requireKnownHost(host: string | undefined, { publicUrl, allowedHosts = [] }: Hosts): void {
  const name = hostnameOf(`http://${host ?? ''}`);
  const isNobodys = name === 'localhost' || isIP(name.replace(/^\[|\]$/g, '')) !== 0;
  if (isNobodys || (name !== '' && [hostnameOf(publicUrl), ...allowedHosts].includes(name))) return;
  throw new AppError('host_unknown', `This service does not answer for "${(host ?? '').slice(0, 100)}"`);
}

const KNOWN_MAX = 1_000;
const known = new Map<string, string>();

/** Read once: it is asked with every request, and the answer is nearly always the same. */
function hostnameOf(url: string): string {
  const before = known.get(url);
  if (before !== undefined) return before;
  const name = URL.canParse(url) ? new URL(url).hostname : '';
  if (known.size >= KNOWN_MAX) known.clear();
  known.set(url, name);
  return name;
}
