/** What was sent to a source, and figures that nobody has looked at yet; `undefined` where the source has none. */
export interface Asked {
  sent: readonly string[];
  said: { events: unknown; harms: unknown } | undefined;
}
