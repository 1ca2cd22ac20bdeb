/** Another rule for a rollback, told the true limit of each guardrail. */
export interface Rival {
  readonly what: string;
  /** Rollouts in which it fired. */
  readonly hits: number;
  begin(): void;
  end(): void;
  /** What looks at one guardrail in one segment, value by value: harm is 1 and no harm 0, unless they are amounts. */
  watch(limit: number, amounts: boolean): (x: number) => void;
}

const FROM_EVENTS = 100;
/** Argo's way: so many events a window, within so many times the limit, and so many of them may fail. */
const WINDOW = { events: 20, times: 2.5, mayFail: 3 };

/** Threshold windows, and a z test looked at after each event, at alpha in each process and at alpha divided by all of them. */
export const rivalsOf = (alpha: number, processes: number): readonly Rival[] => [
  rival('z test, each at alpha, after every event from 100', zTest(quantile(alpha))),
  rival(`z test, each at alpha / ${processes}, likewise`, zTest(quantile(alpha / processes))),
  rival('windows of 20 within 2.5 x limit, 3 may fail (Argo)', windows),
];

type Watch = (limit: number, amounts: boolean) => (x: number) => boolean;

function rival(what: string, watch: Watch): Rival {
  let [hits, fired] = [0, false];
  return {
    what,
    get hits() {
      return hits;
    },
    begin: () => {
      fired = false;
    },
    end: () => {
      if (fired) hits += 1;
    },
    watch: (limit, amounts) => {
      const fires = watch(limit, amounts);
      return (x) => {
        if (!fired) fired = fires(x);
      };
    },
  };
}

const zTest =
  (critical: number): Watch =>
  (limit, amounts) => {
    let [events, sum, squares] = [0, 0, 0];
    return (x) => {
      events += 1;
      sum += x;
      squares += x * x;
      if (events < FROM_EVENTS) return false;
      const mean = sum / events;
      const variance = amounts ? squares / events - mean * mean : limit * (1 - limit);
      return (mean - limit) / Math.sqrt(variance / events) > critical;
    };
  };

const windows: Watch = (limit) => {
  let [events, sum, failed] = [0, 0, 0];
  return (x) => {
    events += 1;
    sum += x;
    if (events < WINDOW.events) return false;
    if (sum / events > limit * WINDOW.times) failed += 1;
    [events, sum] = [0, 0];
    return failed > WINDOW.mayFail;
  };
};

/** The standard normal that is exceeded with this chance, by halving; its tail is summed by Simpson's rule. */
function quantile(chance: number): number {
  let [low, high] = [0, 10];
  for (let n = 0; n < 50; n += 1) {
    const middle = (low + high) / 2;
    if (tail(middle) > chance) low = middle;
    else high = middle;
  }
  return low;
}

function tail(from: number): number {
  const [steps, to] = [2_000, 12];
  const width = (to - from) / steps;
  let sum = 0;
  for (let n = 0; n <= steps; n += 1) {
    const factor = n === 0 || n === steps ? 1 : n % 2 === 1 ? 4 : 2;
    sum += factor * Math.exp(-((from + n * width) ** 2) / 2);
  }
  return (sum * width) / 3 / Math.sqrt(2 * Math.PI);
}
