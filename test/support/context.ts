import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    /** The administrator's URL of the Postgres that global setup started. */
    postgresUrl: string;
    /** host:port of the Temporal dev server that global setup started; its namespace is `default`. */
    temporalAddress: string;
    /** The executable of the dev server, for tests that start one of their own; '' with TEMPORAL_ADDRESS. */
    temporalBinary: string;
  }
}

/** The Postgres of this run: `await createDatabase(testPostgres())` gives a database of one's own. */
export function testPostgres(): { url: string } {
  return { url: inject('postgresUrl') };
}

/** The Temporal server of this run. All test files share it: take task queues and workflow ids of your own. */
export function testTemporal(): { address: string; namespace: string } {
  return { address: inject('temporalAddress'), namespace: 'default' };
}

/** For tests that start, kill and restart a dev server of their own; undefined when TEMPORAL_ADDRESS is given. */
export function testTemporalBinary(): string | undefined {
  return inject('temporalBinary') || undefined;
}
