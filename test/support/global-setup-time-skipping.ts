import { findTestServer } from './test-server.ts';

/** Vitest's global setup of the workflow tests: fetches the time-skipping server before any test starts one. */
export default async function setup(): Promise<void> {
  await findTestServer();
}
