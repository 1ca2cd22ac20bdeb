import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder, installOnce } from '../../src/embedded/cache.ts';
import { runCommand } from '../../src/embedded/run-command.ts';

const REQUIREMENTS = fileURLToPath(new URL('requirements.txt', import.meta.url));
const INSTALL_WITHIN_MS = 600_000;
/** Far over its own time: to start, to end the request under way, to report. */
const WITHIN_MS = 900_000;
const REQUEST_WITHIN_S = 30;
const OUTPUT_BYTES_MAX = 64 * 1_024 * 1_024;
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
];

/** The Python of an environment that has schemathesis, made once in the cache. */
export async function findSchemathesis(log: (line: string) => void): Promise<string> {
  const digest = createHash('sha256')
    .update(await readFile(REQUIREMENTS))
    .digest('hex')
    .slice(0, 12);
  const target = join(cacheFolder(), `schemathesis-${digest}`);
  await installOnce({
    target,
    what: 'schemathesis',
    log,
    async build(folder) {
      log(`schemathesis: installing into ${target}, once`);
      const options = { env: process.env, timeoutMs: INSTALL_WITHIN_MS };
      await runCommand('python3', ['-m', 'venv', folder], options);
      await runCommand(pythonOf(folder), ['-m', 'pip', 'install', '--quiet', '-r', REQUIREMENTS], options);
    },
  });
  return pythonOf(target);
}

/** Programs beside it name the folder they were installed in, which has been renamed since. */
const pythonOf = (folder: string): string => join(folder, 'bin', 'python');

export interface FuzzRun {
  python: string;
  url: string;
  document: unknown;
  /** schemathesis.toml */
  config: string;
  token?: string;
  phases: readonly Phase[];
  /** So long, or so many of every operation. */
  bound: { seconds: number } | { examples: number };
  seed: number;
}

/** What is malformed in every way; what is well formed; calls that use what earlier ones answered. */
export type Phase = 'coverage' | 'fuzzing' | 'stateful';

export interface Report {
  requests: number;
  operations: number;
  /** Answers that must not be, and operations of which nothing can be said. */
  findings: number;
  /** What it wrote. */
  text: string;
}

/** Requests of one caller, made up from the document. */
export async function runSchemathesis({
  python,
  url,
  document,
  config,
  token,
  phases,
  bound,
  seed,
}: FuzzRun): Promise<Report> {
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-fuzzer-'));
  try {
    const [schema, toml, report] = ['openapi.json', 'config.toml', 'report.json'].map((name) =>
      join(folder, name),
    ) as [string, string, string];
    await writeFile(schema, JSON.stringify(document));
    await writeFile(toml, config);
    const args = [
      ...['-m', 'schemathesis.cli', '--config-file', toml, 'run', schema, '--url', url],
      ...['--checks', CHECKS.join(), '--phases', phases.join()],
      ...['--seed', String(seed), '--generation-database', 'none'],
      ...['--request-timeout', String(REQUEST_WITHIN_S), '--continue-on-failure', '--no-color'],
      ...['--warnings', 'off', '--report', 'json', '--report-json-path', report],
      ...('seconds' in bound
        ? ['--max-time', String(bound.seconds)]
        : ['--max-examples', String(bound.examples)]),
      ...(token === undefined ? [] : ['--header', `Authorization: Bearer ${token}`]),
    ];
    const text = await run(python, args, folder, WITHIN_MS);
    return { ...countsOf(await readFile(report, 'utf8').catch(() => undefined), phases), text };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What it writes, however it ends: the report says what came of it. */
function run(python: string, args: string[], cwd: string, timeout: number): Promise<string> {
  const env = { ...process.env, PYTHONUTF8: '1' };
  return new Promise((resolve) => {
    execFile(
      python,
      args,
      { cwd, env, timeout, killSignal: 'SIGKILL', maxBuffer: OUTPUT_BYTES_MAX },
      (_, out, err) => resolve(out + err),
    );
  });
}

interface JsonReport {
  complete: boolean;
  operations: { total: number; tested: number };
  test_cases: { generated: number; unique_failures: number };
  errors: unknown[];
}

/**
 * A run that did not end by itself is a finding: it says nothing. So is an operation of which nothing was tried, where
 * the whole document is gone through; elsewhere the time may be over before.
 */
function countsOf(report: string | undefined, phases: readonly Phase[]): Omit<Report, 'text'> {
  if (report === undefined) return { requests: 0, operations: 0, findings: 1 };
  const { complete, operations, test_cases, errors } = JSON.parse(report) as JsonReport;
  const untried = phases.includes('coverage') ? operations.total - operations.tested : 0;
  return {
    requests: test_cases.generated,
    operations: operations.tested,
    findings: test_cases.unique_failures + errors.length + untried + (complete ? 0 : 1),
  };
}
