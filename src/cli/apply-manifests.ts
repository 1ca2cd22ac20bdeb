import { isDeepStrictEqual } from 'node:util';
import type { CutOff } from '../agents/cut-off.ts';
import type { Agent } from '../domain/agent.ts';
import type { RegressionCase } from '../domain/cases/case.ts';
import { type Change, diffReleases, onlyTakesAway } from '../domain/manifest/diff.ts';
import type { Release } from '../domain/release.ts';
import type { ReleasePath } from '../releases/create.ts';
import type { ApiClient } from './client.ts';
import { CliError } from './failure.ts';
import type { AgentFile, Manifests, ReleaseFile } from './manifests.ts';
import type { WireCase } from './text/cases-text.ts';
import { shortId } from './text/ids.ts';
import { joinsText } from './text/joins-text.ts';
import type { WireAgent, WireApplied, WireRelease } from './wire.ts';

/** What one file would change. */
export interface Preview {
  file: string;
  kind: 'agent' | 'release';
  agent: string;
  version?: string;
  changes: Change[];
  path?: ReleasePath;
  warnings: string[];
  /** Applying it would do nothing. */
  unchanged: boolean;
  /** Segments that would join the rollout that is open. */
  joins?: NonNullable<WireApplied['joins']>;
  /** The command that has to come before, where applying it would stop an agent that works. */
  before?: string;
  /** The command that comes after. */
  next?: string;
}

const agentPath = (agent: string): string => `/v1/agents/${encodeURIComponent(agent)}`;
const releasesPath = (agent: string): string => `${agentPath(agent)}/releases`;
const json = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

async function viewOf(api: ApiClient, agent: string): Promise<WireAgent | undefined> {
  try {
    return await api.get<WireAgent>(agentPath(agent));
  } catch (error) {
    if (error instanceof CliError && error.code === 'unknown_agent') return undefined;
    throw error;
  }
}

/** The manifest that is applied now. */
export const lookUpAgent = async (api: ApiClient, agent: string): Promise<Agent | undefined> =>
  (await viewOf(api, agent))?.manifest;

/** Asks the service what each file would change; nothing is written. */
export async function previewManifests(api: ApiClient, { agents, releases }: Manifests): Promise<Preview[]> {
  const previews: Preview[] = [];
  for (const file of agents) previews.push(await previewAgent(api, file));
  for (const file of releases) {
    const agent = agents.find(({ value }) => value.agent === file.value.agent);
    const changes = previews.some(({ agent, unchanged }) => agent === file.value.agent && !unchanged);
    previews.push(await previewRelease(api, file, agent && changes ? agent.value : undefined));
  }
  return previews;
}

async function previewAgent(api: ApiClient, { file, text, value }: AgentFile): Promise<Preview> {
  const request = { query: { dryRun: true }, yaml: text };
  const { body } = await api.request<WireApplied>('PUT', agentPath(value.agent), request);
  const warnings = [
    ...(body.testMode ? ['testMode: owners may approve. To try things out, never in production'] : []),
    ...body.advisory.map((tool) => `${tool} is advisory: the agent also holds a key of its own for it`),
  ];
  const { changes, cutOff = [], joins } = body;
  const about = {
    file,
    kind: 'agent' as const,
    agent: value.agent,
    changes,
    unchanged: changes.length === 0,
  };
  return {
    ...about,
    warnings: [...warnings, ...cutOff.map(cutOffText), ...(joins ? joinsText(joins) : [])],
    ...(joins && { joins }),
    before: mendCutOff(value.agent, cutOff),
  };
}

function cutOffText({ attribute, segments, tokens }: CutOff): string {
  const which = tokens.map(shortId).join(', ');
  const goes = segments.length > 0 ? ` (segment ${segments.join(', ')} goes by it)` : '';
  return `CUTS OFF ${tokens.length === 1 ? `token ${which}, which has` : `tokens ${which}, which have`} no attribute "${attribute}"${goes}: every request needs it, and all they ask is denied`;
}

/** Attributes of a token are never changed: the agent gets a new one first. */
function mendCutOff(agent: string, cutOff: readonly CutOff[]): string | undefined {
  if (cutOff.length === 0) return undefined;
  const attributes = cutOff.map(({ attribute, type }) => `--attribute ${attribute}=<${type}>`).join(' ');
  return `portcullis token create --role agent --agent ${agent} ${attributes}`;
}

/** With an agent that is applied in the same go the service cannot know yet what the release means. */
async function previewRelease(
  api: ApiClient,
  { file, text, value }: ReleaseFile,
  agent?: Agent,
): Promise<Preview> {
  const view = await viewOf(api, value.agent);
  const stored = view && (await storedRelease(api, view, value));
  const { changes, path } =
    agent !== undefined
      ? await compareHere(api, view, value)
      : (
          await api.request<WireRelease>('POST', releasesPath(value.agent), {
            query: { dryRun: true },
            yaml: text,
          })
        ).body;
  const manifest = agent ?? view?.manifest;
  const about = { file, kind: 'release' as const, agent: value.agent, version: value.release, changes, path };
  const cases = view && path === 'rollout' ? await admittedOf(api, value.agent) : [];
  const warnings = manifest ? await warningsOf(value, manifest, path, cases) : [];
  return { ...about, warnings, unchanged: stored !== undefined, next: nextOf(value, path) };
}

/** @throws CliError `refused` when the version stands for something else: a release is immutable */
async function storedRelease(api: ApiClient, view: WireAgent, value: Release): Promise<Release | undefined> {
  if (!view.releases.some(({ version }) => version === value.release)) return undefined;
  const stored = await releaseOf(api, value.agent, value.release);
  if (isDeepStrictEqual(json(stored), json(value))) return stored;
  throw new CliError(
    'refused',
    `Cannot change release ${value.release} of ${value.agent}: a release is immutable`,
    {
      hint: 'Give it a new number',
      code: 'conflict',
    },
  );
}

const releaseOf = async (api: ApiClient, agent: string, version: string): Promise<Release> =>
  (await api.get<{ manifest: Release }>(`${releasesPath(agent)}/${encodeURIComponent(version)}`)).manifest;

async function compareHere(
  api: ApiClient,
  view: WireAgent | undefined,
  after: Release,
): Promise<{ changes: Change[]; path: ReleasePath }> {
  const version = view?.inForce.find(({ segment }) => segment === 'default')?.release;
  if (version === undefined) return { changes: diffReleases(undefined, after), path: 'adopt' };
  const before = await releaseOf(api, after.agent, version);
  const changes = diffReleases(before, after);
  if (version === after.release) return { changes, path: 'in-force' };
  return { changes, path: onlyTakesAway(before, after) ? 'apply-at-once' : 'rollout' };
}

/** What releases of the agent are held to. */
const admittedOf = async (api: ApiClient, agent: string): Promise<RegressionCase[]> =>
  (await api.get<{ items: WireCase[] }>(`${agentPath(agent)}/cases`, { state: 'admitted' })).items.map(
    // One that is admitted says what it expects.
    ({ body }) => body as RegressionCase,
  );

async function warningsOf(
  release: Release,
  agent: Agent,
  path: ReleasePath,
  cases: readonly RegressionCase[],
): Promise<string[]> {
  const { checkFirstRelease } = await import('../domain/manifest/check-release.ts');
  const { openWrites } = await import('../domain/manifest/open-schemas.ts');
  const unadoptable = path === 'adopt' ? checkFirstRelease(release, agent) : [];
  return [
    ...unadoptable.map(({ message, hint }) => `${message} - ${hint}`),
    ...openWrites(release, agent),
    ...(cases.length > 0 ? await casesText(release, agent, cases) : []),
  ];
}

/** What a start of the release would be refused for, in its words; applying it is not. */
async function casesText(
  release: Release,
  agent: Agent,
  cases: readonly RegressionCase[],
): Promise<string[]> {
  const { runSuite } = await import('../domain/cases/suite.ts');
  const { redText, unevaluableText } = await import('../domain/rollout/blockers.ts');
  return runSuite({ agent, release }, cases).results.flatMap((one) => {
    if (one.verdict === 'red') return [`${redText(one)} (a rollout of it is not started)`];
    return one.verdict === 'unevaluable' ? [`${unevaluableText(one)} (a rollout of it is not started)`] : [];
  });
}

function nextOf({ agent, release }: Release, path: ReleasePath): string | undefined {
  const adopt = `portcullis adopt ${agent} ${release} --reason "..."`;
  if (path === 'adopt') return `${adopt}   # the first one`;
  if (path === 'apply-at-once') return `${adopt}   # only takes away: at once`;
  return path === 'rollout' ? `portcullis rollout start ${agent} ${release} --reason "..."` : undefined;
}

/** Applies agents, then releases. */
export async function applyManifests(api: ApiClient, { agents, releases }: Manifests): Promise<void> {
  for (const { value, text } of agents) await api.request('PUT', agentPath(value.agent), { yaml: text });
  for (const { value, text } of releases)
    await api.request('POST', releasesPath(value.agent), { yaml: text });
}
