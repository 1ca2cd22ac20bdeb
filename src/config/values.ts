import { isIP } from 'node:net';
import { z } from 'zod';

/** Names the empty string as absent: compose files pass variables that are not set as ''. */
export const optional = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (value === '' ? undefined : value), schema.optional());

/** A whole number in a range, which a refusal names. */
export const wholeNumber = (least: number, most: number) =>
  z
    .string()
    .refine(
      (text) => /^\d{1,9}$/.test(text) && Number(text) >= least && Number(text) <= most,
      `must be a whole number from ${least} to ${most}`,
    )
    .transform(Number);

const listOf = (text: string): string[] => text.split(',').map((part) => part.trim());

/** Names of places are left out: who may say who calls is said exactly. */
const isProxyList = (parts: readonly string[]): boolean =>
  parts.every((part) => {
    const [address = '', bits, ...more] = part.split('/');
    const size = { 0: -1, 4: 32, 6: 128 }[isIP(address) as 0 | 4 | 6];
    const fits = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) > 0 && Number(bits) <= size);
    return size > 0 && fits && more.length === 0;
  });

export const proxyList = z
  .string()
  .transform(listOf)
  .refine(isProxyList, 'must be addresses or networks such as 10.0.0.7 or 10.0.0.0/8, separated by commas');
