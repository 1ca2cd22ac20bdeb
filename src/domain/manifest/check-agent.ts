import { type Agent, DEFAULT_SEGMENT, RISKS, type Tool } from '../agent.ts';
import { type Condition, compileCondition } from '../cel/cel.ts';
import { equivalent, type Formula, implies } from '../cel/logic.ts';
import { isReservedWord } from '../cel/words.ts';
import { placeholdersOf } from '../decision/summary.ts';
import { metricProblems } from '../evidence/measure.ts';
import { listsOf, type NamedLists } from '../lists.ts';
import { asksFor, type MetricSource, queriesOf } from '../metric-source.ts';
import { suggest } from '../nearest.ts';
import { type CheckProblem, type ManifestPath, sentence } from '../problem.ts';
import type { JsonSchema } from '../schema/json-schema.ts';
import { schemaAt } from '../schema/paths.ts';
import { checkSubject } from '../subject.ts';
import { checkArgs } from './check-args.ts';
import { checkLists } from './check-lists.ts';
import { checkPeople } from './check-people.ts';

/** What an agent's manifest gets wrong beyond its shape; empty when it may be applied. */
export function checkAgent(agent: Agent): CheckProblem[] {
  return [
    ...checkPeople(agent),
    ...checkAttributes(agent),
    ...checkLists(agent.lists),
    ...Object.entries(agent.tools).flatMap(([name, tool]) => checkTool(name, tool, listsOf(agent))),
    ...checkSegments(agent),
    ...checkMetrics(agent),
  ];
}

function checkAttributes(agent: Agent): CheckProblem[] {
  return Object.keys(agent.attributes)
    .filter((name) => isReservedWord(name))
    .map((name) => ({
      path: ['attributes', name],
      atKey: true,
      message: `"${name}" is a word of the condition language`,
      hint: `Rename it, for example "${name}_"`,
    }));
}

function checkTool(name: string, tool: Tool, lists: NamedLists): CheckProblem[] {
  const path = ['tools', name];
  const problems = checkArgs(name, tool);
  const redacted = tool.redact.map((entry) => entry.replaceAll('[]', ''));
  for (const placeholder of placeholdersOf(tool.summary ?? '')) {
    const hidden = redacted.find((entry) => placeholder === entry || placeholder.startsWith(`${entry}.`));
    const found = schemaAt(tool.args as JsonSchema, placeholder);
    const at = { path: [...path, 'summary'] };
    if (hidden !== undefined)
      problems.push({
        ...at,
        message: `"{${placeholder}}" is redacted`,
        hint: 'Leave it out of the summary: people see the summary everywhere',
      });
    else if (!found.found)
      problems.push({
        ...at,
        message: `"{${placeholder}}" is not one of the args of "${name}"`,
        hint: sentence(found.hint),
      });
  }
  return [...problems, ...(problems.length === 0 ? checkRisks(tool, path, lists) : [])];
}

/** A risk that is never raised, or always, is a mistake. */
function checkRisks(tool: Tool, path: ManifestPath, lists: NamedLists): CheckProblem[] {
  return (tool.risks ?? []).flatMap(({ when, risk }, at): CheckProblem[] => {
    const where = [...path, 'risks', at];
    const condition = compileCondition(when, { args: tool.args as JsonSchema, attributes: {}, lists });
    if (!condition.ok) return conditionProblems([...where, 'when'], condition);
    if (condition.constant !== undefined) {
      const message = `The condition is always ${condition.constant}`;
      return [{ path: [...where, 'when'], message, hint: 'Mend it, or set risk itself' }];
    }
    if (RISKS.indexOf(risk) > RISKS.indexOf(tool.risk)) return [];
    const message = `It raises nothing: the risk is ${tool.risk} already`;
    return [{ path: [...where, 'risk'], message, hint: 'Write a higher risk, or remove it' }];
  });
}

function checkSegments(agent: Agent): CheckProblem[] {
  const problems: CheckProblem[] = [];
  const earlier: { name: string; formula: Formula }[] = [];
  const names = new Set<string>();
  agent.segments.forEach(({ name, when, subject }, at) => {
    const path = ['segments', at];
    if (name === DEFAULT_SEGMENT)
      problems.push({
        path: [...path, 'name'],
        message: `"${name}" is reserved`,
        hint: 'It is where everything goes that no segment matches',
      });
    if (names.has(name))
      problems.push({
        path: [...path, 'name'],
        message: `Segment "${name}" is declared twice`,
        hint: 'Rename one of the two',
      });
    names.add(name);
    problems.push(...checkSubject(subject, [...path, 'subject'], agent));
    const condition = compileCondition(when, { attributes: agent.attributes, lists: listsOf(agent) });
    if (!condition.ok) {
      problems.push(...conditionProblems([...path, 'when'], condition));
      return;
    }
    const useless = uselessSegment(condition.constant, condition.formula, earlier);
    if (useless) problems.push({ path: [...path, 'when'], ...useless });
    else earlier.push({ name, formula: condition.formula });
  });
  return problems;
}

function uselessSegment(
  constant: boolean | undefined,
  formula: Formula,
  earlier: readonly { name: string; formula: Formula }[],
): Pick<CheckProblem, 'message' | 'hint'> | undefined {
  if (constant === true)
    return {
      message: 'The condition is always true: every request would fall in this segment',
      hint: 'Name what sets the segment apart; what no segment matches falls in "default"',
    };
  if (constant === false)
    return { message: 'The condition is never true', hint: 'Mend it, or remove the segment' };
  const same = earlier.find((other) => equivalent(formula, other.formula));
  if (same)
    return {
      message: `The condition means the same as that of "${same.name}", so this segment can never match`,
      hint: 'Remove one of the two',
    };
  if (
    !implies(
      formula,
      earlier.map((other) => other.formula),
    )
  )
    return undefined;
  const message = 'Everything this condition matches falls in an earlier segment already';
  return { message, hint: 'Put the narrower segment first' };
}

/** The problems of a condition, each pointing into its text. */
export const conditionProblems = (
  path: ManifestPath,
  condition: Extract<Condition, { ok: false }>,
): CheckProblem[] => condition.problems.map(({ message, hint, range }) => ({ path, message, hint, range }));

function checkMetrics(agent: Agent): CheckProblem[] {
  return Object.entries(agent.metrics).flatMap(([name, metric]): CheckProblem[] => {
    const { tool, source } = metric;
    const wrong: CheckProblem[] = metricProblems(metric).map(({ field, message, hint }) => ({
      path: ['metrics', name, field],
      message,
      hint,
    }));
    if (source) wrong.push(...checkSource(source, ['metrics', name, 'source'], agent.segments.length > 0));
    if (tool === undefined || Object.hasOwn(agent.tools, tool)) return wrong;
    const hint = sentence(suggest(tool, Object.keys(agent.tools)));
    return [...wrong, { path: ['metrics', name, 'tool'], message: `Tool "${tool}" is not declared`, hint }];
  });
}

/** What does not tell releases apart would count what the other one does. */
function checkSource(source: MetricSource, path: ManifestPath, segmented: boolean): CheckProblem[] {
  const needed = segmented ? (['release', 'segment'] as const) : (['release'] as const);
  return queriesOf(source).flatMap((query) =>
    needed
      .filter((word) => !asksFor(query, word))
      .map((word) => ({
        path,
        message: `Its query does not ask for {${word}}: it would count every ${word} alike`,
        hint: `Write {${word}} where the query tells one ${word} from another`,
      })),
  );
}
