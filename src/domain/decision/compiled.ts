import type { Agent, Risk, Tool } from '../agent.ts';
import type { ConditionValues, Truth } from '../cel/cel.ts';
import type { ApprovalPolicy, ApprovalRule, Grant, Release } from '../release.ts';
import type { Meter } from '../schema/meter.ts';
import type { Validator } from '../schema/schema.ts';
import type { SubjectSource } from '../subject.ts';
import type { RedactStep } from './redact.ts';

/** A tool ready for deciding. */
export interface CompiledTool {
  name: string;
  tool: Tool;
  write: boolean;
  /** Whether arguments fit, and what they hold that the schema does not declare; in words without values. */
  args: Validator;
  redactions: readonly (readonly RedactStep[])[];
  /** The highest of the tool's risk and those of its conditions that match; a condition that errs means high. */
  riskOf(args: Readonly<Record<string, unknown>>, meter?: Meter): Risk;
}

/** A segment ready for deciding. */
export interface CompiledSegment {
  name: string;
  representative: boolean;
  /** Where its subjects come from, if the segment says so. */
  subject?: SubjectSource;
}

/** The first segment whose condition matches; `failed`: its condition erred before any did. */
export type FindSegment = (values: ConditionValues) => { segment: CompiledSegment; failed?: true };

/** An agent whose schemas and conditions are compiled once; `segments` ends with `default`, which always matches. */
export interface CompiledAgent {
  agent: Agent;
  /** The declared attributes with their types. */
  attributes: readonly [name: string, type: Agent['attributes'][string]][];
  tools: ReadonlyMap<string, CompiledTool>;
  segments: readonly CompiledSegment[];
  segmentOf: FindSegment;
}

/** A grant with its name filled in. */
export type NamedGrant = Grant & { name: string };

/** One grant for one tool. */
export interface CompiledGrant {
  name: string;
  index: number;
  /** With its name filled in. */
  grant: NamedGrant;
  /** `undefined` when the grant has no condition. */
  matches?: (values: ConditionValues) => Truth;
  approval?: ApprovalPolicy;
  /** Of a grant that asks: where it runs unasked all the same. */
  unless?: (values: ConditionValues) => Truth;
  rules: readonly CompiledRule[];
}

/** One rule of an approval. */
export interface CompiledRule {
  rule: ApprovalRule;
  matches(values: ConditionValues): Truth;
}

/** A release with its grants by tool, in the order of the manifest. */
export interface CompiledRelease {
  release: Release;
  version: string;
  grants: ReadonlyMap<string, readonly CompiledGrant[]>;
}
