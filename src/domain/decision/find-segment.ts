import { type Condition, compileCondition, ownText } from '../cel/cel.ts';
import type { ConditionScope } from '../cel/scope.ts';
import type { CompiledSegment, FindSegment } from './compiled.ts';

/**
 * Finds the segment of a request; compiled when it is first asked. Most agents tell their segments by the text of one
 * attribute: such conditions at the head of the list are looked up together, the others tried one after the other.
 */
export function segmentFinder(
  segments: readonly CompiledSegment[],
  conditions: readonly string[],
  otherwise: CompiledSegment,
  scope: ConditionScope,
): FindSegment {
  let compiled: { head: Head; rest: Tried[] } | undefined;
  return (values) => {
    compiled ??= compile(segments, conditions, scope);
    const { head, rest } = compiled;
    const text = ownText(values.context, head.attribute);
    const told = text === undefined ? undefined : head.byText.get(text);
    if (told !== undefined) return { segment: told };
    for (const { segment, condition } of text === undefined ? [...head.tried, ...rest] : rest) {
      const truth = condition.ok ? condition.evaluate(values) : 'error';
      if (truth === 'error') return { segment, failed: true };
      if (truth === 'true') return { segment };
    }
    return { segment: otherwise };
  };
}

interface Tried {
  segment: CompiledSegment;
  condition: Condition;
}

/** The conditions at the head that all ask for the text of one attribute. */
interface Head {
  attribute: string;
  byText: ReadonlyMap<string, CompiledSegment>;
  /** The same, for a request whose attribute is no text. */
  tried: Tried[];
}

function compile(
  segments: readonly CompiledSegment[],
  conditions: readonly string[],
  scope: ConditionScope,
): { head: Head; rest: Tried[] } {
  const all = segments.map((segment, at) => ({
    segment,
    condition: compileCondition(conditions[at] ?? '', scope),
  }));
  const attribute = toldOf(all[0])?.attribute ?? '';
  const other = all.findIndex((one) => toldOf(one)?.attribute !== attribute);
  const tried = all.slice(0, other < 0 ? all.length : other);
  const byText = new Map<string, CompiledSegment>();
  for (const one of tried) {
    const text = toldOf(one)?.text ?? '';
    if (!byText.has(text)) byText.set(text, one.segment);
  }
  return { head: { attribute, byText, tried }, rest: all.slice(tried.length) };
}

const toldOf = (one: Tried | undefined): { attribute: string; text: string } | undefined =>
  one?.condition.ok ? one.condition.told : undefined;
