import { caseGreenInForce } from '../cases/guard.ts';
import type { FactSources } from './check.ts';

/** What is known of cases: whether one is green in everything that is in force of its agent. */
export const FACT_SOURCES: FactSources = { caseGreen: caseGreenInForce };
