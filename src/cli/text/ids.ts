const SHORT = 8;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-/i;

/** The beginning of an id, which every command takes for the whole; what has no UUID keeps its name. */
export const shortId = (id: string): string => (UUID.test(id) ? id.slice(0, SHORT) : id);

/** Short ids of what stands in one list: longer where two begin alike. */
export function shortIds(ids: readonly string[]): (id: string) => string {
  const known = [...new Set(ids)];
  return (id) => {
    if (!UUID.test(id)) return id;
    for (let length = SHORT; length < id.length; length++) {
      const short = id.slice(0, length);
      if (!short.endsWith('-') && known.every((other) => other === id || !other.startsWith(short)))
        return short;
    }
    return id;
  };
}
