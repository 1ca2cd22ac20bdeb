import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Agent } from '../domain/agent.ts';
import { CASE_LENGTH_MAX, CASES_MAX, type RegressionCase } from '../domain/cases/case.ts';
import { formatProblems, type Problem, readCase, readManifest } from '../domain/manifest/manifest.ts';
import type { Release } from '../domain/release.ts';
import { CliError } from './failure.ts';
import { readManifestText } from './list-files.ts';
import { readManifests } from './manifests.ts';

const CASES_FOLDER = 'cases';
const AGENT_FILE = 'agent.yaml';

/** A release, the agent it belongs to, and the cases that stand in files beside it. */
export interface CaseFiles {
  agent: Agent;
  release: Release;
  cases: RegressionCase[];
}

/**
 * One release with its agent: the one among the files, else `agent.yaml` beside the release. Without `folder` the cases are
 * `cases/*.yaml` beside it.
 * @throws CliError `usage` with every problem of every file
 */
export async function readCaseFiles(
  files: readonly string[],
  cwd: string,
  folder?: string,
): Promise<CaseFiles> {
  const { agents, releases } = await readManifests(files, cwd, async (name) => {
    const beside = files.map((file) => join(dirname(file), AGENT_FILE));
    return agentIn(beside, cwd, name);
  });
  const [file] = releases;
  if (file === undefined || releases.length > 1 || agents.length > 1)
    throw new CliError('usage', 'Give one release', {
      hint: 'portcullis cases test release-2.yaml, with agent.yaml beside it or named as well',
    });
  const agent =
    agents[0]?.value ?? (await agentIn([join(dirname(file.file), AGENT_FILE)], cwd, file.value.agent));
  if (agent === undefined)
    throw new CliError('usage', `Cannot find the manifest of agent "${file.value.agent}"`, {
      hint: `Put ${AGENT_FILE} beside the release, or name it as well`,
    });
  const cases = await readCaseFolder(folder ?? join(dirname(file.file), CASES_FOLDER), cwd);
  return { agent, release: file.value, cases };
}

async function agentIn(paths: readonly string[], cwd: string, name: string): Promise<Agent | undefined> {
  for (const path of new Set(paths)) {
    const text = await readManifestText(path, cwd).catch(() => undefined);
    if (text === undefined) continue;
    const read = readManifest(path, text, 'agent');
    if (!read.ok) throw invalid(read.problems);
    if (read.value.agent === name) return read.value;
  }
  return undefined;
}

/**
 * Every case of a folder, in the order of their files; none where there is no such folder.
 * @throws CliError `usage` with every problem of every file, and for a name that stands twice
 */
export async function readCaseFolder(folder: string, cwd: string): Promise<RegressionCase[]> {
  const names = (await readdir(resolve(cwd, folder)).catch(() => []))
    .filter((name) => /\.(ya?ml|json)$/.test(name))
    .sort();
  if (names.length > CASES_MAX)
    throw new CliError('usage', `${folder} holds ${names.length} files, at most ${CASES_MAX} cases are run`);
  const problems: Problem[] = [];
  const cases = new Map<string, RegressionCase>();
  for (const name of names) {
    const file = join(folder, name);
    const read = readCase(file, await boundedText(resolve(cwd, file)));
    if (!read.ok) problems.push(...read.problems);
    else if (cases.has(read.value.case)) {
      const message = `Case "${read.value.case}" stands in another file of ${basename(folder)} too`;
      problems.push({ file, line: 1, column: 1, path: 'case', message, hint: 'Give it a name of its own' });
    } else cases.set(read.value.case, read.value);
  }
  if (problems.length > 0) throw invalid(problems);
  return [...cases.values()];
}

/** What is larger than a case may be is not read to its end. */
async function boundedText(path: string): Promise<string> {
  const { size } = await stat(path);
  return size > CASE_LENGTH_MAX * 4 ? ' '.repeat(CASE_LENGTH_MAX + 1) : readFile(path, 'utf8');
}

function invalid(problems: readonly Problem[]): CliError {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  return new CliError('usage', `${formatProblems(problems)}\n${count}: nothing was run`, {
    code: 'manifest_invalid',
    details: { problems },
  });
}
