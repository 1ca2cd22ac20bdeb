import { attempt, type Evaluate, type Frame } from './frame.ts';
import { CelError, CelList, CelMap, type CelValue, listOf } from './values.ts';

/** `all`, `exists`, `exists_one`, `map` and `filter` over what `receiver` gives. */
export function walkOf(
  name: string,
  variable: string,
  receiver: Evaluate,
  [first, second]: readonly Evaluate[],
): Evaluate {
  if (first === undefined) throw new Error(`${name}() has no body`);
  const each = (frame: Frame, look: (item: CelValue) => boolean): void => {
    const items = itemsOf(receiver(frame));
    for (let at = 0; at < items.length; at++) {
      const item = items.at(at);
      frame.meter.spend(1);
      if (!frame.with(variable, item, () => look(item))) return;
    }
  };
  switch (name) {
    case 'all':
      return quantifier(each, first, false);
    case 'exists':
      return quantifier(each, first, true);
    case 'exists_one':
      return (frame) => collect(each, frame, first, undefined).length === 1;
    case 'filter':
      return (frame) => listOf(collect(each, frame, first, undefined));
    default:
      return (frame) => listOf(collect(each, frame, second && first, second ?? first));
  }
}

type Each = (frame: Frame, look: (item: CelValue) => boolean) => void;

function itemsOf(value: CelValue): CelList {
  if (value instanceof CelList) return value;
  if (value instanceof CelMap) return listOf(value.keys());
  throw new CelError('Only a list or a map can be walked');
}

/** One item settles it; an error only counts when none does. */
function quantifier(each: Each, test: Evaluate, decisive: boolean): Evaluate {
  return (frame) => {
    let settled = false;
    let broken: CelError | undefined;
    each(frame, () => {
      const truth = attempt(test, frame);
      if (truth === decisive) settled = true;
      else if (truth instanceof CelError) broken ??= truth;
      else if (typeof truth !== 'boolean') broken ??= new CelError('A walk needs true or false');
      return !settled;
    });
    if (settled) return decisive;
    if (broken) throw broken;
    return !decisive;
  };
}

function collect(
  each: Each,
  frame: Frame,
  test: Evaluate | undefined,
  made: Evaluate | undefined,
): CelValue[] {
  const found: CelValue[] = [];
  each(frame, (item) => {
    const fits = test === undefined ? true : test(frame);
    if (typeof fits !== 'boolean') throw new CelError('A walk needs true or false');
    if (fits) found.push(made === undefined ? item : made(frame));
    return true;
  });
  return found;
}
