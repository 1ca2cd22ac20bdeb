/**
 * The years an instant may lie in, by UTC. Outside of them clocks, stores and programs read the same text differently:
 * years before 1 and after 9999 are written in other ways, and early ones are taken for others.
 */
const FIRST_YEAR = 2000;
const LAST_YEAR = 2100;
const FIRST_MS = Date.UTC(FIRST_YEAR, 0, 1);
const LAST_MS = Date.UTC(LAST_YEAR + 1, 0, 1) - 1;

/** For messages: "an instant lies in the years 2000 to 2100 (UTC)". */
export const INSTANT_RANGE = `an instant lies in the years ${FIRST_YEAR} to ${LAST_YEAR} (UTC)`;

/** No date at all is none either. */
export const isInstant = (at: Date): boolean => at.getTime() >= FIRST_MS && at.getTime() <= LAST_MS;

/** The nearest instant there is to a time of somebody else's, who may write "for ever" as the year 9999. */
export const nearestInstant = (at: Date): Date =>
  new Date(Math.min(Math.max(at.getTime(), FIRST_MS), LAST_MS));
