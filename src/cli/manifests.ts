import type { Agent } from '../domain/agent.ts';
import {
  checkParsed,
  formatProblems,
  type Problem,
  type WholeManifestKind,
} from '../domain/manifest/manifest.ts';
import { type ParsedText, parseText } from '../domain/manifest/source.ts';
import type { Release } from '../domain/release.ts';
import { CliError } from './failure.ts';
import { readManifestText } from './list-files.ts';

const KEYS: Readonly<Record<WholeManifestKind, readonly string[]>> = {
  release: ['release', 'grants', 'rollout'],
  agent: ['people', 'owners', 'approvers', 'tools', 'toolDefaults', 'segments', 'metrics', 'testMode'],
};

export interface AgentFile {
  kind: 'agent';
  file: string;
  text: string;
  value: Agent;
}

export interface ReleaseFile {
  kind: 'release';
  file: string;
  text: string;
  value: Release;
}

/** What a set of files holds, each checked against the others. */
export interface Manifests {
  agents: AgentFile[];
  releases: ReleaseFile[];
}

interface Source {
  file: string;
  text: string;
  kind: WholeManifestKind;
  parsed: ParsedText & { ok: true };
}

/** The kind of a manifest, by the keys it has. */
export function kindOf(value: unknown): WholeManifestKind | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const keys = Object.keys(value);
  return (['release', 'agent'] as const).find((kind) => keys.some((key) => KEYS[kind].includes(key)));
}

/**
 * Reads and checks manifests. A release is checked against its agent: the one among the files, else what `lookUp`
 * finds.
 * @throws CliError `usage` with every problem of every file
 */
export async function readManifests(
  files: readonly string[],
  cwd: string,
  lookUp: (agent: string) => Promise<Agent | undefined>,
): Promise<Manifests> {
  const { sources, problems } = await readSources(files, cwd);
  const agents: AgentFile[] = [];
  for (const { file, text, kind, parsed } of sources) {
    if (kind !== 'agent') continue;
    const read = checkParsed(parsed, 'agent');
    if (!read.ok) problems.push(...read.problems);
    else if (agents.some(({ value }) => value.agent === read.value.agent)) {
      problems.push(
        problemOf(file, `Agent "${read.value.agent}" is in two of the files`, 'Apply one of them'),
      );
    } else agents.push({ kind: 'agent', file, text, value: read.value });
  }
  const releases: ReleaseFile[] = [];
  for (const { file, text, kind, parsed } of sources) {
    if (kind !== 'release') continue;
    const agent = await agentOf(parsed.value, agents, lookUp);
    const read = checkParsed(parsed, 'release', agent);
    if (read.ok) releases.push({ kind: 'release', file, text, value: read.value });
    else problems.push(...read.problems);
  }
  if (problems.length > 0) throw invalid(problems);
  return { agents, releases };
}

async function readSources(
  files: readonly string[],
  cwd: string,
): Promise<{ sources: Source[]; problems: Problem[] }> {
  const sources: Source[] = [];
  const problems: Problem[] = [];
  for (const file of files) {
    const text = await readManifestText(file, cwd);
    const parsed = parseText(file, text);
    const kind = parsed.ok ? kindOf(parsed.value) : undefined;
    if (!parsed.ok) problems.push(...parsed.problems);
    else if (kind) sources.push({ file, text, kind, parsed });
    else {
      const hint = 'An agent has tools and people, a release has grants: portcullis init writes one of each';
      problems.push(problemOf(file, 'This is neither an agent nor a release', hint));
    }
  }
  return { sources, problems };
}

async function agentOf(
  release: unknown,
  agents: readonly AgentFile[],
  lookUp: (agent: string) => Promise<Agent | undefined>,
): Promise<Agent | undefined> {
  const name = (release as { agent?: unknown }).agent;
  if (typeof name !== 'string') return undefined;
  return agents.find(({ value }) => value.agent === name)?.value ?? lookUp(name);
}

const problemOf = (file: string, message: string, hint: string): Problem => {
  return { file, line: 1, column: 1, path: '', message, hint };
};

function invalid(problems: readonly Problem[]): CliError {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  return new CliError('usage', `${formatProblems(problems)}\n${count}: nothing was applied`, {
    code: 'manifest_invalid',
    details: { problems },
  });
}
