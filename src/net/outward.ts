import { lookup as resolve } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { Agent, type Dispatcher } from 'undici';
import { isLinkLocal } from '../domain/address.ts';

/** Refused by this service, before anything was sent. */
export class LinkLocalAddress extends Error {
  readonly code = 'ELINKLOCAL';

  constructor() {
    super('the address is link-local');
    this.name = 'LinkLocalAddress';
  }
}

/** A name may lead to a link-local address, also one that led elsewhere when the manifest was applied. */
export const lookupOutward =
  (ask: typeof resolve): LookupFunction =>
  (hostname, options, callback) => {
    ask(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '', 0);
      const [first] = addresses;
      if (!first || addresses.some(({ address }) => isLinkLocal(address)))
        return callback(new LinkLocalAddress(), '', 0);
      if (options.all) return callback(null, addresses);
      return callback(null, first.address, first.family);
    });
  };

/** For every request to an address that a manifest names. */
export const outward: Dispatcher = new Agent({ connect: { lookup: lookupOutward(resolve) } });

/** The same for an address that needs no look-up. @throws LinkLocalAddress */
export function assertOutward(url: string | URL): void {
  if (isLinkLocal(new URL(url).hostname)) throw new LinkLocalAddress();
}
