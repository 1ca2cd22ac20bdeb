import { v7 } from 'uuid';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether Postgres takes this text for a key of type `uuid`: anything else names no row. */
export const isUuid = (text: string): boolean => UUID.test(text);

/** An id that begins with the time it is made at (UUIDv7, RFC 9562): what is made together lies together in the store. */
export const newId = (now: Date): string => v7({ msecs: now.getTime() });
