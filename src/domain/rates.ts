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

const minutes = z.number().min(0).max(10_000);
const workSchema = z.strictObject({
  perMinute: z.number().min(0).max(1e6).describe('What a minute of the people who approve and mend costs'),
  correction: minutes.optional().describe('Minutes that mending one wrong write takes'),
  handOver: minutes.optional().describe('Minutes that a person needs for a task that was handed over'),
  validFrom: z.iso.date().describe('The first day it holds, UTC'),
  reason: wordsSchema.describe('Where the figures come from'),
});

/** What harm costs, as its owner declares it. Money is shown beside the evidence and never enters it. */
export const ratesSchema = z.strictObject({
  agent: nameSchema,
  currency: z.string().regex(/^[A-Z]{3}$/, 'write the three letters of a currency, such as EUR'),
  owner: nameSchema.describe('Who answers for the figures'),
  rates: z.array(rateSchema).min(1).max(200),
  work: z
    .array(workSchema)
    .max(200)
    .optional()
    .describe("What people's work costs and takes, for the business figures"),
});

export type Rates = z.infer<typeof ratesSchema>;
export type Work = z.infer<typeof workSchema>;

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
  const own = (rates?.rates ?? []).filter((rate) => rate.metric === metric);
  return rates && pricedBy(rates, own, priced);
}

/** What so many minutes of people cost; undefined where no work is declared. */
export function workCost(rates: Rates | undefined, minutes: readonly Priced[]): Cost | undefined {
  const own = (rates?.work ?? []).map(({ perMinute, validFrom }) => ({ amount: perMinute, validFrom }));
  return rates && pricedBy(rates, own, minutes);
}

function pricedBy(
  { currency, owner }: Rates,
  declared: readonly { amount: number; validFrom: string }[],
  priced: readonly Priced[],
): Cost | undefined {
  const own = [...declared].sort((one, other) => (one.validFrom < other.validFrom ? -1 : 1));
  if (own.length === 0) return undefined;
  const counts = new Map<(typeof own)[number] | undefined, number>();
  for (const { at, count } of priced) {
    const rate = inForceAt(own, at);
    if (count > 0) counts.set(rate, (counts.get(rate) ?? 0) + count);
  }
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

/** Of declarations in the order of their days, the one that holds at a moment. */
export const inForceAt = <T extends { validFrom: string }>(ordered: readonly T[], at: Date): T | undefined =>
  ordered.findLast(({ validFrom }) => Date.parse(validFrom) <= at.getTime());

/** The work that is declared at a moment. */
export const workAt = ({ work = [] }: Rates, at: Date): Work | undefined =>
  inForceAt(
    [...work].sort((one, other) => (one.validFrom < other.validFrom ? -1 : 1)),
    at,
  );

export const figure = (value: number): string => String(Number(value.toPrecision(6)));

/** "240 EUR: 6 x 40 EUR (olga, from 2026-01-01)" */
export const costText = ({ amount, currency, inputs }: Cost): string =>
  `${figure(amount)} ${currency}${inputs.length > 0 ? `: ${inputs.join(' + ')}` : ''}`;
