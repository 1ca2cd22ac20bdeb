import { z } from 'zod';
import { type Agent, nameSchema } from './agent.ts';
import { suggest } from './nearest.ts';
import { type CheckProblem, sentence } from './problem.ts';
import { wordsSchema } from './schema/words.ts';

const rateSchema = z.strictObject({
  metric: nameSchema.describe('The metric that it prices'),
  amount: z.number().min(0).max(1e12).describe('Of one harmful event or, of a sum, of one unit'),
  validFrom: z.iso.date().describe('The first day it holds, UTC'),
  reason: wordsSchema.describe('Where the figure comes from'),
});

/** What harm costs, as its owner declares it. Money is shown beside the evidence and never enters it. */
export const ratesSchema = z.strictObject({
  agent: nameSchema,
  currency: z.string().regex(/^[A-Z]{3}$/, 'write the three letters of a currency, such as EUR'),
  owner: nameSchema.describe('Who answers for the figures'),
  rates: z.array(rateSchema).min(1).max(200),
});

export type Rates = z.infer<typeof ratesSchema>;

/** What rates get wrong of the agent that they are about. */
export function checkRates({ owner, rates }: Rates, agent: Agent): CheckProblem[] {
  const people = Object.keys(agent.people);
  const metrics = Object.keys(agent.metrics);
  const seen = new Set<string>();
  return [
    ...(people.includes(owner)
      ? []
      : [
          {
            path: ['owner'],
            message: `"${owner}" is not one of people`,
            hint: sentence(suggest(owner, people)),
          },
        ]),
    ...rates.flatMap(({ metric, validFrom }, at): CheckProblem[] => {
      const path = ['rates', at, 'metric'];
      if (!metrics.includes(metric))
        return [
          { path, message: `There is no metric "${metric}"`, hint: sentence(suggest(metric, metrics)) },
        ];
      const key = JSON.stringify([metric, validFrom]);
      if (seen.size < seen.add(key).size) return [];
      const message = `Metric "${metric}" has two rates from ${validFrom} on`;
      return [{ path, message, hint: 'Keep one of them' }];
    }),
  ];
}

/** So many harmful events, or so much of a sum, at a moment. */
export interface Priced {
  at: Date;
  count: number;
}

/** What it costs, and every figure that it is made of. */
export interface Cost {
  amount: number;
  currency: string;
  /** "6 x 40 EUR (olga, from 2026-01-01)" */
  inputs: string[];
}

/** What a metric cost by the rate of each moment; undefined where none is declared. What happened before any rate costs nothing, and is said. */
export function costOf(
  rates: Rates | undefined,
  metric: string,
  priced: readonly Priced[],
): Cost | undefined {
  const own = (rates?.rates ?? [])
    .filter((rate) => rate.metric === metric)
    .sort((one, other) => (one.validFrom < other.validFrom ? -1 : 1));
  if (rates === undefined || own.length === 0) return undefined;
  const counts = new Map<(typeof own)[number] | undefined, number>();
  for (const { at, count } of priced) {
    const rate = own.findLast(({ validFrom }) => Date.parse(validFrom) <= at.getTime());
    if (count > 0) counts.set(rate, (counts.get(rate) ?? 0) + count);
  }
  const { currency, owner } = rates;
  const parts = [undefined, ...own].flatMap((rate) => {
    const count = counts.get(rate);
    if (count === undefined) return [];
    if (rate === undefined) return { amount: 0, text: `${figure(count)} before any rate` };
    const text = `${figure(count)} x ${figure(rate.amount)} ${currency} (${owner}, from ${rate.validFrom})`;
    return { amount: count * rate.amount, text };
  });
  return {
    amount: parts.reduce((sum, { amount }) => sum + amount, 0),
    currency,
    inputs: parts.map(({ text }) => text),
  };
}

const figure = (value: number): string => String(Number(value.toPrecision(6)));

/** "240 EUR: 6 x 40 EUR (olga, from 2026-01-01)" */
export const costText = ({ amount, currency, inputs }: Cost): string =>
  `${figure(amount)} ${currency}${inputs.length > 0 ? `: ${inputs.join(' + ')}` : ''}`;
