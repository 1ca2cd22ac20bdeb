import { type Decision, decide, type SwitchOff } from '../decision/decide.ts';
import { durationMs } from '../duration.ts';
import { BEGIN_WITHIN, quorumOf } from '../release.ts';
import { scopesOver } from '../scope.ts';
import type { CaseStep, Refusal, RegressionCase } from './case.ts';
import { hasRoom, type LimitUse } from './limits.ts';
import { type Finding, green, red, unevaluable } from './result.ts';
import { toolLeft, weighAnswer } from './run-ask.ts';
import { type CaseWorld, requestOf } from './world.ts';

type State = 'pending' | 'approved' | 'denied' | 'executing' | 'expired' | 'disabled' | 'superseded';

/** One action of a sequence, as its row would stand. */
interface Acting {
  ask: CaseStep;
  decision: Decision;
  state: State;
  /** People who agreed so far. */
  agreed: number;
  /** Milliseconds since the sequence began. */
  expiresAt: number;
  round: number;
}

interface Running {
  world: CaseWorld;
  agentVersion: string | undefined;
  now: number;
  switches: SwitchOff[];
  actions: Map<string, Acting>;
  uses: LimitUse[];
}

/**
 * The steps one after the other, by the states of an action and what `begin` checks; time passes by its own steps alone.
 * The first finding that is not green ends it. What a `begin` refuses for another reason than the step names cannot be told.
 */
export function runSequence({ given }: RegressionCase, world: CaseWorld): Finding {
  const switches = (given.switches ?? []).map((one) => ({ ...one }));
  const running: Running = {
    world,
    agentVersion: given.agentVersion,
    now: 0,
    switches,
    actions: new Map(),
    uses: [],
  };
  const steps = given.steps ?? [];
  for (const [at, step] of steps.entries()) {
    const finding = take(step, running);
    if (finding && finding.verdict !== 'green')
      return { verdict: finding.verdict, why: `Step ${at + 1}, ${step.do}: ${finding.why}` };
  }
  return green(`${steps.length} steps as expected`);
}

function take(step: CaseStep, running: Running): Finding | undefined {
  if (step.do === 'ask') return ask(step, running);
  if (step.do === 'wait') running.now += durationMs(step.for ?? '1s');
  if (step.do === 'disable') disable(step.scope ?? 'everything', running);
  if (step.do === 'enable') running.switches = running.switches.filter(({ scope }) => scope !== step.scope);
  if (step.do === 'rollback') end(running, 'superseded', () => true);
  const acting = step.action === undefined ? undefined : running.actions.get(step.action);
  if (acting === undefined) return undefined;
  if (acting.state !== 'executing' && acting.expiresAt < running.now && isOpen(acting))
    acting.state = 'expired';
  if (step.do === 'approve') approve(acting, running.now);
  if (step.do === 'deny' && acting.state === 'pending') acting.state = 'denied';
  if (step.do === 'edit') return edit(step, acting, running);
  return step.do === 'begin' ? begin(step, acting, running) : undefined;
}

const isOpen = ({ state }: Acting): boolean => state === 'pending' || state === 'approved';

function decided(step: CaseStep, { world, agentVersion, switches }: Running): Decision {
  return decide(requestOf(step, agentVersion), { ...world.world, switches });
}

function ask(step: CaseStep, running: Running): Finding {
  const left = toolLeft(step.tool ?? '', running.world, step.reasons);
  if (left) return left;
  const decision = decided(step, running);
  const finding = weighAnswer(decision, step);
  if (finding.verdict !== 'green') return finding;
  const { outcome, approval } = decision;
  const state = ({ allowed: 'approved', pending: 'pending', denied: 'denied' } as const)[outcome];
  const open = outcome === 'pending' ? (approval?.expiresIn ?? '1h') : BEGIN_WITHIN;
  const expiresAt = running.now + durationMs(open);
  running.actions.set(step.action ?? '', { ask: step, decision, state, agreed: 0, expiresAt, round: 0 });
  return finding;
}

function approve(acting: Acting, now: number): void {
  if (acting.state !== 'pending') return;
  const { approval } = acting.decision;
  acting.agreed++;
  if (acting.agreed < quorumOf(approval)) return;
  acting.state = 'approved';
  acting.expiresAt = Math.max(acting.expiresAt, now + durationMs(approval?.beginWithin ?? BEGIN_WITHIN));
}

/** Other arguments: decided again, the count begun anew; what the release refuses stays as it was. */
function edit(step: CaseStep, acting: Acting, running: Running): Finding | undefined {
  if (acting.state !== 'pending') return undefined;
  const changed = { ...acting.ask, args: step.args };
  const decision = decided(changed, running);
  const finding = weighAnswer(decision, step);
  if (finding.verdict !== 'green' || decision.outcome === 'denied') return finding;
  Object.assign(acting, { ask: changed, decision, agreed: 0, round: acting.round + 1 });
  return finding;
}

/** What stops also ends what is open and covered; `enable` does not bring it back. */
function disable(scope: string, running: Running): void {
  running.switches.push({ scope, reads: false });
  const { agent } = running.world.agent.agent;
  end(running, 'disabled', ({ ask: { tool = '' } }) => scopesOver(agent, tool).includes(scope));
}

function end({ actions }: Running, state: State, isMeant: (acting: Acting) => boolean): void {
  for (const acting of actions.values()) if (isOpen(acting) && isMeant(acting)) acting.state = state;
}

function begin(step: CaseStep, acting: Acting, running: Running): Finding | undefined {
  const refused = refusalOf(step, acting, running);
  if (refused === undefined) acting.state = 'executing';
  if (step.refused !== undefined && refused === undefined)
    return red(`It began, and must not: ${step.refused}`);
  if (step.refused !== undefined && step.refused !== refused)
    return unevaluable(`Refused as ${refused}, not as ${step.refused}`);
  return step.begun && refused !== undefined ? red(`Refused as ${refused}, and must begin`) : undefined;
}

/** As `begin_action()` checks, in its order. */
function refusalOf(step: CaseStep, acting: Acting, running: Running): Refusal | undefined {
  const { state, round, decision, ask } = acting;
  if (state === 'expired') return 'too_late';
  if (state === 'pending') return 'not_approved';
  if ((step.round ?? round) !== round) return 'args_changed';
  if (state === 'executing') return 'already_begun';
  if (state !== 'approved') return 'not_approved';
  const { agent } = running.world.agent.agent;
  if (running.switches.some(({ scope }) => scopesOver(agent, ask.tool ?? '').includes(scope)))
    return 'stopped';
  const { limits = {}, name = '' } = decision.grant ?? {};
  const use = { grant: name, at: running.now };
  if (!hasRoom(limits, use, running.uses)) return 'limit_reached';
  running.uses.push(use);
  return undefined;
}
