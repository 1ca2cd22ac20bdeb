const SHORT = 8;
/** Of an id that begins with its time: to the millisecond. */
const SHORT_TIMED = 13;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-/i;
const TIMED = /^[0-9a-f]{8}-[0-9a-f]{4}-7/i;

const shortest = (id: string): number => (TIMED.test(id) ? SHORT_TIMED : SHORT);

/** The beginning of an id, which every command takes for the whole; what has no UUID keeps its name. */
export const shortId = (id: string): string => (UUID.test(id) ? id.slice(0, shortest(id)) : id);

/** Short ids of what stands in one list: longer where two begin alike. */
export function shortIds(ids: readonly string[]): (id: string) => string {
  const known = [...new Set(ids)];
  return (id) => {
    if (!UUID.test(id)) return id;
    for (let length = shortest(id); length < id.length; length++) {
      const short = id.slice(0, length);
      if (!short.endsWith('-') && known.every((other) => other === id || !other.startsWith(short)))
        return short;
    }
    return id;
  };
}
