import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROLES } from '../../../src/actor.ts';
import { createApi } from '../../../src/api/server.ts';
import { sequenceLog } from '../../../src/log/sequence.ts';
import { AGENT_YAML, givenToken, RELEASE_2_YAML, RELEASE_YAML } from '../../support/fixtures.ts';
import { createTestServices, type TestServices } from '../../support/services.ts';
import { type CliResult, type CliTestOptions, runInTest } from '../../unit/cli/cli-io.ts';

export type Run = (...argv: string[]) => Promise<CliResult>;

/** A real API on a port of its own, and commands that go to it. */
export interface CliHarness {
  services: TestServices;
  url: string;
  cwd: string;
  /** As somebody with every role, in a folder that holds the fixtures' manifests. */
  run: Run;
  runWith(options: CliTestOptions, ...argv: string[]): Promise<CliResult>;
  /** As a person with some roles. */
  as(person: string, ...roles: string[]): Promise<Run>;
  /** Numbers what was logged, as the api role does. */
  sequence(): Promise<void>;
  stopApi(): Promise<void>;
  close(): Promise<void>;
}

export async function startCliHarness(): Promise<CliHarness> {
  const services = await createTestServices();
  const api = await createApi(services);
  const url = await api.listen({ host: '127.0.0.1', port: 0 });
  const cwd = mkdtempSync(join(tmpdir(), 'portcullis-cli-'));
  for (const [name, text] of Object.entries({
    'agent.yaml': AGENT_YAML,
    'release-1.yaml': RELEASE_YAML,
    'release-2.yaml': RELEASE_2_YAML,
  })) {
    writeFileSync(join(cwd, name), text);
  }
  const { token } = await givenToken(services, ROLES, { person: 'ana' });
  const with_ = (token: string, options: CliTestOptions, argv: readonly string[]) => {
    const now = () => services.clock.now();
    const env = { PORTCULLIS_URL: url, PORTCULLIS_TOKEN: token, ...options.env };
    return runInTest(argv, { cwd, now, ...options, env });
  };
  const run: Run = (...argv) => with_(token, {}, argv);
  return {
    services,
    url,
    cwd,
    run,
    runWith: (options, ...argv) => with_(token, options, argv),
    async as(person, ...roles) {
      const given = await givenToken(services, roles as (typeof ROLES)[number][], { person });
      return (...argv) => with_(given.token, {}, argv);
    },
    sequence: async () => void (await sequenceLog(services.db.sql)),
    stopApi: () => api.close(),
    async close() {
      await api.close();
      await services.close();
    },
  };
}
