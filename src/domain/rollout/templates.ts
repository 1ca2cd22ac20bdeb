import { type Agent, type Metric, segmentNames } from '../agent.ts';
import { upperBound } from '../evidence/eprocess.ts';
import { isWeighed } from '../evidence/measure.ts';
import { planSegments, testGroupOf } from './steps.ts';

/** One exposure after the baseline: of the test group alone, or of everyone with the test group at 100 %. */
interface TemplateStep {
  of: 'test group' | 'everyone';
  percent: number;
  /** Of the whole length. */
  part: number;
}

/** A shape of a rollout that others are made from; a change of what it makes is a new version. */
export interface Template {
  version: number;
  about: string;
  baseline: number;
  constrained: readonly TemplateStep[];
  scale: readonly TemplateStep[];
}

const step = (of: TemplateStep['of'], percent: number, part: number): TemplateStep => ({ of, percent, part });

export const TEMPLATES = {
  'standard-90': {
    version: 2,
    about: 'A month of baseline, a month with the test group, a month to everyone in two steps',
    baseline: 1 / 3,
    constrained: [step('test group', 25, 1 / 6), step('test group', 100, 1 / 6)],
    scale: [step('everyone', 50, 1 / 6), step('everyone', 100, 1 / 6)],
  },
  'cautious-90': {
    version: 2,
    about: 'The same months in smaller steps: three with the test group, four to everyone',
    baseline: 1 / 3,
    constrained: [10, 50, 100].map((percent) => step('test group', percent, 1 / 9)),
    scale: [5, 25, 50, 100].map((percent) => step('everyone', percent, 1 / 12)),
  },
} as const satisfies Record<string, Template>;

export type TemplateName = keyof typeof TEMPLATES;

/** What a template is filled with. */
export interface TemplateInput {
  template: TemplateName;
  days: number;
  alpha: number;
  /** Subjects a day with a write, of a segment; as recorded. */
  traffic: (segment: string) => number;
  /** What the releases in force did before, of a metric; as recorded. */
  recorded: (metric: string) => { events: number; harms: number };
}

const SAMPLE_MAX = 200;
/** So little says nothing of a limit. */
const RECORDED_LEAST = 50;
const LEAST_LIMIT = 0.01;
const TIMES_THE_BOUND = 2;
const MARGIN = 0.5;

/** The `rollout` of a release for this agent, as YAML with its reasons; everything in it is to be read and changed. */
export function rolloutFrom(agent: Agent, input: TemplateInput): string {
  const { template, days, alpha } = input;
  const shape: Template = TEMPLATES[template];
  const [signer = ''] = agent.owners;
  return [
    `# From the template ${template}, version ${shape.version}: ${shape.about.toLowerCase()}.`,
    'rollout:',
    `  alpha: ${alpha}`,
    ...(Object.keys(agent.approvers).length > 1 ? [asksLine(agent)] : []),
    `  signedOffBy: ${signer} # whoever agrees to definitions, escalation and rollback triggers`,
    `  baseline: { days: ${rounded(shape.baseline * days)} }`,
    '  constrained:',
    ...shape.constrained.map((one) => stepLine(agent, one, input, writesLine(agent))),
    '  scale:',
    ...shape.scale.map((one) => stepLine(agent, one, input)),
    ...guardrailLines(agent, input),
    '',
  ].join('\n');
}

const asksLine = ({ approvers }: Agent): string =>
  `  asks: ${Object.keys(approvers)[0]} # confirms a write where each write asks and its grant asks nobody`;

const rounded = (days: number): number => Number(days.toPrecision(4));

/** Where each write asks, what counts unasked writes only counts nothing. */
function writesLine({ metrics }: Agent): string {
  const acts = (one: Metric): boolean => !isWeighed(one) || (one.kind === 'sum' && one.cap !== undefined);
  const unasked = Object.values(metrics).some(
    (one) => one.decidedBy === 'policy' && !one.source && acts(one),
  );
  return unasked ? ' writes: as-granted,' : '';
}

function stepLine(
  agent: Agent,
  { of, percent, part }: TemplateStep,
  input: TemplateInput,
  writes = '',
): string {
  const group = testGroupOf(planSegments(agent));
  const length = part * input.days;
  const others = percent < 100;
  const exposure =
    of === 'test group'
      ? `{ ${group}: ${percent} }`
      : others
        ? `{ ${group}: 100, '*': ${percent} }`
        : `{ '*': ${percent} }`;
  const segments = of === 'test group' ? [group] : segmentNames(agent);
  const least = Math.min(...segments.map((name) => input.traffic(name) * (percent / 100) * length));
  const sample = Math.max(1, Math.min(SAMPLE_MAX, Math.floor(least / 2)));
  return `    - { days: ${rounded(length)}, exposure: ${exposure},${writes} gate: { sample: ${sample} } } # about ${Math.floor(least)} subjects come in the thinnest segment`;
}

function guardrailLines(agent: Agent, input: TemplateInput): string[] {
  const lines = Object.entries(agent.metrics).map(([name, metric]) => guardrailLine(name, metric, input));
  if (lines.length === 0)
    return [
      '  guardrails: [] # declare metrics of the agent first: without a guardrail nothing is taken back',
    ];
  const acting = lines.some((line) => !line.trim().startsWith('#'));
  return [acting ? '  guardrails:' : '  guardrails: []', ...lines];
}

function guardrailLine(name: string, metric: Metric, input: TemplateInput): string {
  const { kind, direction, unit, business, cap } = metric;
  if (kind === 'sum' && cap !== undefined)
    return `    - { metric: ${name}, limit: { baseline: { margin: ${MARGIN} } }, reason: ${quoted(`${business}: at most half as much again as before`)} } # in ${unit}, by its mean`;
  if (isWeighed(metric))
    return `    # - { metric: ${name}, limit: ?, reason: ? } # a ${kind}: say what a subject-day may come to, in ${unit}`;
  const { events, harms } = input.recorded(name);
  const reason = `${business}: `;
  if (events < RECORDED_LEAST)
    return `    - { metric: ${name}, limit: { baseline: { margin: ${MARGIN} } }, reason: ${quoted(`${reason}at most half as much harm again as before`)} } # recorded so far: ${events} events`;
  const bound = upperBound({ events, harms }, input.alpha);
  const limit = Math.min(0.99, Math.max(LEAST_LIMIT, Math.ceil(bound * TIMES_THE_BOUND * 1_000) / 1_000));
  const shown = direction === 'higher' ? Number((1 - limit).toPrecision(4)) : limit;
  return `    - { metric: ${name}, limit: ${shown}, reason: ${quoted(`${reason}twice the most it was before`)} } # recorded: ${harms} of ${events}, at most ${Number(bound.toPrecision(3))}`;
}

const quoted = (text: string): string => JSON.stringify(text);
