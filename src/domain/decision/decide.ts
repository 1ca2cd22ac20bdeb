import type { Risk } from '../agent.ts';
import { DEFAULT_SEGMENT } from '../agent.ts';
import type { Arm, DecisionRequest, Outcome, Reason, SegmentExposure } from '../decision.ts';
import { namingNobody } from '../naming.ts';
import { nearest } from '../nearest.ts';
import { quorumOf, tightened } from '../release.ts';
import { Meter } from '../schema/meter.ts';
import { scopesOver } from '../scope.ts';
import { type Subject, type SubjectSource, subjectFrom, subjectSource } from '../subject.ts';
import { checkAttributes, declaredOnly, ownValue } from './attributes.ts';
import { type BoundedRollout, type Bounds, boundsIn, withinLimits } from './bounds.ts';
import type { CompiledAgent, CompiledRelease } from './compiled.ts';
import { armOf, bucketOf } from './exposure.ts';
import { withoutHiddenNames } from './hidden-names.ts';
import { type Answer, denied, type Relaxations, reason, weigh } from './weigh.ts';

/** `everything`, `agent/${agent}` or `tool/${agent}/${tool}`; `reads` stops reads too. */
export interface SwitchOff {
  scope: string;
  reads: boolean;
}

/** The open rollout, as `decide()` needs it. */
export interface RolloutWorld extends BoundedRollout {
  id: string;
  release: string;
  salt: string;
  /** Where its subjects come from, by the release. */
  subject: string;
  segments: Readonly<Record<string, SegmentExposure>>;
}

/** Everything a decision depends on besides the request. */
export interface World extends Relaxations {
  agent: CompiledAgent;
  switches: readonly SwitchOff[];
  /** Release version in force, per segment. */
  inForce: Readonly<Record<string, string>>;
  releases: Readonly<Record<string, CompiledRelease>>;
  rollout?: RolloutWorld;
}

/** The answer and everything it rests on; segment, arm and release are those of the trusted attributes. */
export interface Decision extends Answer {
  segment: string;
  arm: Arm;
  release?: string;
  rolloutId?: string;
  generation?: number;
  bucket?: number;
  risk: Risk;
  /** What it is about and on whose word; none where whoever should say so did not. */
  subject?: Subject;
  /** It stays in control because the agent named more new subjects than it may. */
  surplus?: boolean;
}

type Place = Pick<Decision, 'segment' | 'arm' | 'release' | 'rolloutId' | 'generation' | 'bucket'>;
type Values = Readonly<Record<string, unknown>>;

const STRICTNESS: Readonly<Record<Outcome, number>> = { allowed: 0, pending: 1, denied: 2 };

/**
 * May this be done? Pure and total: the same input gives the same answer, nothing thrown, and what is not granted
 * is denied. Claims of the agent can only make the answer stricter.
 */
export function decide(request: DecisionRequest, world: World): Decision {
  return decideAt(request, world, undefined);
}

/** The same for a request whose segment, arm and release are fixed already. */
export function decideIn(request: DecisionRequest, world: World, place: Place): Decision {
  return decideAt(request, world, place);
}

function decideAt(request: DecisionRequest, world: World, fixed: Place | undefined): Decision {
  try {
    const meter = new Meter();
    const trusted = decideWith(request, request.attributes, world, meter, fixed);
    const claims = claimsOf(request, world);
    if (claims === undefined) return trusted;
    const claiming = { ...request.attributes, ...claims };
    return stricter(trusted, decideWith(request, claiming, world, meter, fixed));
  } catch {
    const reasons = [
      reason('condition_error', 'The request could not be evaluated', 'Send plain JSON values'),
    ];
    return { outcome: 'denied', reasons, segment: DEFAULT_SEGMENT, arm: 'control', risk: 'high' };
  }
}

/** The claims that differ from what is trusted and that the agent's manifest declares. */
function claimsOf({ claimed, attributes }: DecisionRequest, { agent }: World): Values | undefined {
  if (typeof claimed !== 'object' || claimed === null) return undefined;
  const told = Object.keys(agent.agent.attributes).filter(
    (name) => Object.hasOwn(claimed, name) && claimed[name] !== ownValue(attributes, name),
  );
  return told.length > 0 ? Object.fromEntries(told.map((name) => [name, claimed[name]])) : undefined;
}

function stricter(trusted: Decision, claimed: Decision): Decision {
  const byOutcome = STRICTNESS[claimed.outcome] - STRICTNESS[trusted.outcome];
  const byQuorum = quorumOf(claimed.approval) - quorumOf(trusted.approval);
  if (byOutcome < 0 || (byOutcome === 0 && claimed.outcome !== 'pending')) return trusted;
  if (byOutcome === 0 && byQuorum <= 0)
    return trusted.approval && claimed.approval
      ? { ...trusted, approval: tightened(trusted.approval, [claimed.approval]) }
      : trusted;
  const { grant, approval, standing: _, earned: __, ...place } = trusted;
  const note = reason('claim_stricter', 'What the agent itself claims leads to a stricter answer');
  const answer: Decision = { ...place, outcome: claimed.outcome, reasons: [note, ...claimed.reasons] };
  if (claimed.outcome === 'denied') return answer;
  const asked = claimed.approval && tightened(claimed.approval, approval ? [approval] : []);
  return { ...answer, ...(grant && { grant }), ...(asked && { approval: asked }) };
}

function decideWith(
  request: DecisionRequest,
  attributes: Values,
  world: World,
  meter: Meter,
  fixed?: Place,
): Decision {
  const { agent } = world;
  const attributeProblem = checkAttributes(attributes, agent);
  const context = declaredOnly(attributes, agent);
  const found = attributeProblem === undefined ? agent.segmentOf({ context, meter }) : undefined;
  const segment = found?.failed ? undefined : found?.segment;
  const source = fixed ? AS_ASKED : (segment?.subject ?? subjectSource(world.rollout?.subject));
  const subject = subjectFrom(source, request, context);
  const place: Place =
    fixed ??
    (segment === undefined
      ? { segment: DEFAULT_SEGMENT, arm: 'control' }
      : placeOf(segment.name, request.surplus ? undefined : subject?.name, world));
  const answer =
    checkSwitches(request.tool, world) ??
    checkRequest(request) ??
    (attributeProblem && denied(attributeProblem)) ??
    (found?.failed ? denied(segmentFailed(found.segment.name)) : undefined) ??
    (subject === undefined
      ? denied(noSubject(source))
      : answerFrom(request, subject.name, context, place, world, meter));
  return decisionOf(answer, place, riskOf(request, world, meter), subject, request.surplus === true);
}

/** Written out, member by member: what is spread takes as long as the whole decision. */
function decisionOf(
  answer: Answer,
  place: Place,
  risk: Risk,
  subject: Subject | undefined,
  surplus: boolean,
): Decision {
  const { segment, arm } = place;
  const decision: Decision = { outcome: answer.outcome, reasons: answer.reasons, segment, arm, risk };
  if (place.release !== undefined) decision.release = place.release;
  if (place.rolloutId !== undefined) decision.rolloutId = place.rolloutId;
  if (place.generation !== undefined) decision.generation = place.generation;
  if (place.bucket !== undefined) decision.bucket = place.bucket;
  if (answer.grant !== undefined) decision.grant = answer.grant;
  if (answer.approval !== undefined) decision.approval = answer.approval;
  if (answer.standing !== undefined) decision.standing = answer.standing;
  if (answer.earned !== undefined) decision.earned = answer.earned;
  if (subject !== undefined) decision.subject = subject;
  if (surplus) decision.surplus = true;
  return decision;
}

/** What cannot be told is high. */
const riskOf = ({ tool, args }: DecisionRequest, { agent }: World, meter: Meter): Risk =>
  agent.tools.get(tool)?.riskOf(args, meter) ?? 'high';

function checkSwitches(toolName: string, { agent, switches }: World): Answer | undefined {
  if (switches.length === 0) return undefined;
  const covering = new Set(scopesOver(agent.agent.agent, toolName));
  const write = agent.tools.get(toolName)?.write ?? true;
  const off = switches.find((candidate) => covering.has(candidate.scope) && (write || candidate.reads));
  if (off === undefined) return undefined;
  const what = off.scope === 'everything' ? 'Everything' : `"${off.scope}"`;
  return denied(
    reason('switched_off', `${what} is switched off`, 'Wait until people have switched it on again'),
  );
}

function checkRequest({ tool, args, subject }: DecisionRequest): Answer | undefined {
  if (typeof tool !== 'string')
    return denied(reason('unknown_tool', 'The tool is not named', 'Send its name as text'));
  if (typeof subject !== 'string')
    return denied(reason('args_invalid', 'The subject is not text', 'Send its id as text'));
  if (typeof args !== 'object' || args === null || Array.isArray(args))
    return denied(reason('args_invalid', 'The arguments are not an object', 'Send {} when there are none'));
  return undefined;
}

const segmentFailed = (name: string): Reason =>
  reason('condition_error', `The condition of segment "${name}" failed on this request`);

const AS_ASKED: SubjectSource = { by: 'agent' };

/** As with attributes: an agent that could leave it out would pick its arm by that. */
function noSubject({ by, attribute }: SubjectSource): Reason {
  if (by === 'agent') return reason('args_invalid', 'The subject is empty', 'Send its id as text');
  const message =
    by === 'assertion'
      ? 'The subject comes from the signed assertion, and none names it'
      : `The subject comes from the attribute "${attribute}", and that is empty`;
  const hint =
    by === 'assertion' ? 'Send an assertion with "sub"' : `Send "${attribute}" in the signed attributes`;
  return reason('attribute_missing', message, hint);
}

/** A surplus subject has none here: it stays in control, whatever the exposure. */
function placeOf(segment: string, subject: string | undefined, { inForce, rollout }: World): Place {
  const place: Place = { segment, arm: 'control' };
  const control = ownValue(inForce, segment);
  if (control !== undefined) place.release = control;
  const exposure = rollout && ownValue(rollout.segments, segment);
  if (rollout === undefined || exposure === undefined) return place;
  place.rolloutId = rollout.id;
  place.generation = exposure.generation;
  if (subject === undefined) return place;
  place.bucket = bucketOf(rollout.salt, subject);
  if (exposure.state === 'exposed') place.arm = armOf(place.bucket, exposure.exposure);
  if (place.arm === 'candidate') place.release = rollout.release;
  return place;
}

function answerFrom(
  request: DecisionRequest,
  subject: string,
  context: Values,
  place: Place,
  world: World,
  meter: Meter,
): Answer {
  const release = place.release === undefined ? undefined : ownValue(world.releases, place.release);
  if (release === undefined)
    return denied(
      reason(
        'no_release',
        `No release is in force for segment "${place.segment}"`,
        'Adopt a release of this agent',
      ),
    );
  const tool = world.agent.tools.get(request.tool);
  if (tool === undefined) return denied(unknownTool(request.tool, world.agent));
  const said = tool.args.misfit(request.args, meter);
  const misfit = said && withoutHiddenNames(said, request.args, tool.redactions);
  if (misfit !== undefined)
    return denied(
      reason(
        'args_invalid',
        `The arguments do not fit the tool's schema: ${misfit}`,
        'Mend them and ask again',
      ),
    );
  const bounds = boundsOf(place, world);
  if (bounds?.tools && !bounds.tools.includes(tool.name)) return denied(notInStep(tool.name, world.rollout));
  const { args, agentVersion } = request;
  const values = { args, context, subject, meter, agentVersion };
  const answer = weigh(tool, release, bounds ? { ...place, bounds } : place, values, world);
  if (answer.grant && bounds) answer.grant = withinLimits(answer.grant, bounds.limits);
  return assertKnown(answer, request, world.agent);
}

/** Only the candidate is held to the step; what is in force is granted as it is. */
function boundsOf({ arm, segment, rolloutId }: Place, { rollout }: World): Bounds | undefined {
  if (arm !== 'candidate' || rollout === undefined || rollout.id !== rolloutId) return undefined;
  const exposure = ownValue(rollout.segments, segment);
  return exposure && boundsIn(rollout, segment, exposure);
}

function notInStep(tool: string, rollout: RolloutWorld | undefined): Reason {
  const { id, release, step } = rollout ?? {};
  const message = `Release "${release}" does not grant "${tool}" yet: step ${(step?.index ?? 0) + 1} of rollout ${id} holds it back`;
  return reason(
    'not_in_step',
    message,
    'Go on without it until the rollout has come to a step that names it',
  );
}

/** Where the release is strict about it, nothing is done for somebody whom nobody can be. */
function assertKnown(answer: Answer, { behind = [] }: DecisionRequest, { agent }: CompiledAgent): Answer {
  const isStrict = answer.grant?.strictBehind === true || answer.approval?.strictBehind === true;
  if (answer.outcome === 'denied' || !isStrict || namingNobody(agent, behind).length === 0) return answer;
  const message = `"behind" names somebody who is nobody of agent "${agent.agent}"`;
  const hint = 'Name them by an id, a name, an e-mail address or a Slack account under "people"';
  return denied(reason('behind_unknown', message, hint));
}

function unknownTool(name: string, { tools, agent }: CompiledAgent): Reason {
  const near = nearest(name, tools.keys(), 3).map((candidate) => `"${candidate}"`);
  const hint = near.length > 0 ? `Did you mean ${near.join(' or ')}?` : 'Declare it in the agent manifest';
  return reason('unknown_tool', `This tool is not declared by agent "${agent.agent}"`, hint);
}
