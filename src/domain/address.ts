import { z } from 'zod';

/** What readers see of an address in place of its path and query: those may hold a key. */
const HIDDEN = '[hidden]';

const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).hostname : '');

/**
 * Whether an IP address, as a URL or a resolver writes it, is link-local: 169.254.0.0/16 and fe80::/10, also where the
 * first is written inside an IPv6 address. Clouds hand out the credentials of the machine there.
 */
export function isLinkLocal(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  if (!bare.includes(':')) return /^169\.254\.\d+\.\d+$/.test(bare);
  if (!URL.canParse(`http://[${bare}]/`)) return false;
  const address = new URL(`http://[${bare}]/`).hostname.slice(1, -1);
  if ((Number.parseInt(address.split(':')[0] || '0', 16) & 0xffc0) === 0xfe80) return true;
  return INSIDE_IPV6.test(address);
}

/** ::169.254.x.x, ::ffff:169.254.x.x, ::ffff:0:169.254.x.x, 64:ff9b::169.254.x.x and 2002:a9fe:…, as a URL writes them. */
const INSIDE_IPV6 = /^(?:::(?:ffff:(?:0:)?)?|64:ff9b::(?:1:)?)a9fe:[0-9a-f]+$|^2002:a9fe:/;

/** An address that the service itself calls because a manifest says so. */
export const outwardUrlSchema = z
  .url({ protocol: /^https?$/, error: 'is not an http or https address' })
  .refine((url) => !isLinkLocal(hostOf(url)), 'is a link-local address: nothing of yours listens there')
  .refine((url) => !hasUserInfo(url), 'holds a user name or password: put a key into the path or the query')
  .refine(
    (url) => !url.endsWith(HIDDEN),
    'is what is shown in place of the address: write the address itself',
  );

function hasUserInfo(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { username, password } = new URL(url);
  return username !== '' || password !== '';
}

/** The same for where it may also be the name of a file. */
export const isOutwardPlace = (place: string): boolean =>
  !isLinkLocal(hostOf(place)) && !place.endsWith(HIDDEN);

/** A place without what may be a key. */
export const shownAddress = (url: string): string => {
  if (!URL.canParse(url)) return HIDDEN;
  const { protocol, host } = new URL(url);
  return `${protocol}//${host}/${HIDDEN}`;
};
