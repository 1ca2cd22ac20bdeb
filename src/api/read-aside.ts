import type { Agent } from '../domain/agent.ts';
import { readManifest, readManifestValue, type WholeManifestKind } from '../domain/manifest/manifest.ts';
import type { Problem } from '../domain/problem.ts';

/** A manifest as it was sent. What goes from thread to thread is text: copying objects takes longer than reading it. */
export interface ManifestQuestion {
  kind: WholeManifestKind;
  file: string;
  /** YAML, or the JSON of a value. */
  text: string;
  isValue: boolean;
  /** The JSON of the agent that a release is checked against. */
  agent?: string;
}

/** The manifest with every default as JSON, or everything that is wrong with it. */
export type ManifestAnswer = { ok: true; value: string } | { ok: false; problems: Problem[] };

/** Reads and checks a manifest, in whichever thread. */
export function readAside(question: ManifestQuestion): ManifestAnswer {
  const read = question.kind === 'agent' ? readAgent(question) : readRelease(question);
  return read.ok ? { ok: true, value: JSON.stringify(read.value) } : { ok: false, problems: read.problems };
}

const readAgent = ({ file, text, isValue }: ManifestQuestion) =>
  isValue ? readManifestValue(JSON.parse(text), 'agent') : readManifest(file, text, 'agent');

function readRelease({ file, text, isValue, agent }: ManifestQuestion) {
  const against = agent === undefined ? undefined : (JSON.parse(agent) as Agent);
  return isValue
    ? readManifestValue(JSON.parse(text), 'release', against)
    : readManifest(file, text, 'release', against);
}
