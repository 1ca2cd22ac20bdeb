import type { FactSources } from './check.ts';

/** What is known of cases here: nothing yet, so a predicate about one cannot be told and is not done. */
export const FACT_SOURCES: FactSources = {};
