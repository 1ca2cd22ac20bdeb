import type { World } from '../src/domain/decision/decide.ts';
import { readManifest } from '../src/domain/manifest/manifest.ts';
import {
  agents,
  agentYaml,
  anyQuestion,
  type Question,
  regoData,
  regoInput,
  releaseYaml,
  toolsOf,
} from './many.ts';
import { ratio, spreadOf } from './measure.ts';
import { compiledPolicy } from './opa.ts';

/** As it is shipped: what runs sources marks every function with its name, which costs more than the function. */
const shipped = async <T>(module: string): Promise<T> =>
  (await import(new URL(`../dist/src/domain/decision/${module}.js`, import.meta.url).href)) as T;
const { compileAgent, compileRelease } =
  await shipped<typeof import('../src/domain/decision/compile.ts')>('compile');
const { decide } = await shipped<typeof import('../src/domain/decision/decide.ts')>('decide');

const QUESTIONS = 10_000;
const ROUNDS = 5;
const ROUND_MS = 1_000;
const ARGS = { id: 'R-1' };

type Engine = (question: Question) => boolean;

/** One decision and nothing else, by `decide()` and by two engines compiled to WebAssembly, in turns. */
export async function benchEngines(opa: string, folder: string, say: (line: string) => void): Promise<void> {
  const engines: [string, Engine][] = [
    ['decide()', portcullis()],
    ["OPA's policy as WebAssembly", await opaWasm(await compiledPolicy(opa, folder))],
    ["Cedar's WebAssembly", await cedar()],
  ];
  // Each tool once first: what is asked for the first time is compiled, and a service runs for months.
  for (const agent of agents)
    for (const tool of toolsOf.before) engines[0]?.[1]({ agent, tool, tier: 'tier-0' });
  const rates = engines.map((): number[] => []);
  for (let round = 0; round < ROUNDS; round++) {
    const questions = Array.from({ length: QUESTIONS }, () => anyQuestion('before'));
    for (const [index, [name, engine]] of engines.entries()) {
      const startedAt = performance.now();
      let asked = 0;
      for (; performance.now() - startedAt < ROUND_MS; asked++) {
        const question = questions[asked % QUESTIONS] as Question;
        if (!engine(question)) throw new Error(`${name} denies what is allowed: ${JSON.stringify(question)}`);
      }
      rates[index]?.push((asked / (performance.now() - startedAt)) * 1_000);
    }
    if (engines.some(([, engine]) => engine({ ...anyQuestion('before'), tool: 'nothing' })))
      throw new Error('an engine allows what nobody granted');
  }
  const [own = 0, ...others] = rates.map((all) => spreadOf(all).p50);
  for (const [index, [name]] of engines.entries())
    say(
      `${name.padEnd(36)}${Math.round(spreadOf(rates[index] ?? []).p50)
        .toLocaleString('en')
        .padStart(8)}/s`,
    );
  say(`    ${ratio(own, Math.max(...others))} the faster of the others   aim: at least 4.00 x`);
}

function portcullis(): Engine {
  const worlds = new Map(agents.map((name) => [name, worldOf(name)]));
  return ({ agent, tool, tier }) => {
    const world = worlds.get(agent);
    if (!world) return false;
    const request = { tool, args: ARGS, attributes: { tier }, claimed: {}, subject: 'conversation-1' };
    return decide(request, world).outcome === 'allowed';
  };
}

function worldOf(name: string): World {
  const agent = readManifest('agent.yaml', agentYaml(name), 'agent');
  if (!agent.ok) throw new Error(JSON.stringify(agent.problems));
  const release = readManifest('release.yaml', releaseYaml(name, 1, 'desk'), 'release', agent.value);
  if (!release.ok) throw new Error(JSON.stringify(release.problems));
  const segments = [...agent.value.segments.map((segment) => segment.name), 'default'];
  return {
    agent: compileAgent(agent.value),
    switches: [],
    inForce: Object.fromEntries(segments.map((segment) => [segment, '1'])),
    releases: { 1: compileRelease(release.value, agent.value) },
  };
}

async function opaWasm(wasm: Buffer): Promise<Engine> {
  const { loadPolicy } = await import('@open-policy-agent/opa-wasm');
  const policy = await loadPolicy(wasm);
  policy.setData(JSON.parse(regoData()));
  return (question) => (policy.evaluate(regoInput(question)) as { result: boolean }[])[0]?.result === true;
}

/** A policy for each agent, parsed once; its tools are the actions, and the tier is of the context. */
async function cedar(): Promise<Engine> {
  const { preparsePolicySet, statefulIsAuthorized } = await import('@cedar-policy/cedar-wasm/nodejs');
  const actions = Object.values(toolsOf)
    .flat()
    .map((tool) => `Action::"${tool}"`)
    .join(', ');
  const staticPolicies = Object.fromEntries(
    agents.map((agent) => [
      agent,
      `permit(principal == Agent::"${agent}", action in [${actions}], resource) when { context.tier like "tier-*" };`,
    ]),
  );
  const parsed = preparsePolicySet('many', { staticPolicies });
  if (parsed.type === 'failure') throw new Error(JSON.stringify(parsed.errors));
  return ({ agent, tool, tier }) => {
    const answer = statefulIsAuthorized({
      principal: { type: 'Agent', id: agent },
      action: { type: 'Action', id: tool },
      resource: { type: 'Segment', id: tier },
      context: { tier, id: ARGS.id },
      preparsedPolicySetId: 'many',
      entities: [],
    });
    return answer.type === 'success' && answer.response.decision === 'allow';
  };
}
