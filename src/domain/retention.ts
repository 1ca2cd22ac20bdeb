import { durationMs, isDurationBetween } from './duration.ts';

/** A kind of thing that is kept for a time of its own. */
export type Kept = 'actions' | 'arguments' | 'reads' | 'cards' | 'keys' | 'log';

/** How long each kind of thing is kept, in milliseconds of the calendar. */
export type Retention = Readonly<Record<Kept, number>>;

interface Rule {
  variable: string;
  standard: string;
  least: string;
  /** What it is, and why as long as this. */
  reason: string;
}

export const RETENTION: Readonly<Record<Kept, Rule>> = {
  actions: {
    variable: 'PORTCULLIS_KEEP_ACTIONS',
    standard: '400d',
    least: '30d',
    reason: 'who asked, decided and did what: a year, and a month to look back on it',
  },
  arguments: {
    variable: 'PORTCULLIS_KEEP_ARGUMENTS',
    standard: '120d',
    least: '7d',
    reason: 'arguments and results of actions: the 90 days of a rollout, and a month to replay it',
  },
  reads: {
    variable: 'PORTCULLIS_KEEP_READS',
    standard: '120d',
    least: '7d',
    reason: 'allowed and denied reads with their arguments: as long as arguments',
  },
  cards: {
    variable: 'PORTCULLIS_KEEP_CARDS',
    standard: '120d',
    least: '7d',
    reason: 'what cards in Slack said; what people signed stays with the action',
  },
  keys: {
    variable: 'PORTCULLIS_KEEP_KEYS',
    standard: '30d',
    least: '1d',
    reason: 'idempotency keys: the same question again gets the same answer for so long',
  },
  log: {
    variable: 'PORTCULLIS_KEEP_LOG',
    standard: '400d',
    least: '30d',
    reason: 'the log: as long as the actions it is about',
  },
};

export const KEPT = Object.keys(RETENTION) as Kept[];
const MOST = '3650d';

/** Whether a text is a time that this may be kept for. */
export const isKeepTime = (kept: Kept, text: string): boolean =>
  isDurationBetween(text, RETENTION[kept].least, MOST);

export const keepRange = (kept: Kept): string => `${RETENTION[kept].least} to ${MOST}`;

/** @param given by variable; what is missing is the standard */
export const retentionOf = (given: Readonly<Record<string, string | undefined>>): Retention =>
  Object.fromEntries(
    KEPT.map((kept) => {
      const { variable, standard } = RETENTION[kept];
      return [kept, durationMs(given[variable] ?? standard)];
    }),
  ) as Record<Kept, number>;
