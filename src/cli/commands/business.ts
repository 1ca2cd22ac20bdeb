import { type RegisterCommands, withExample } from '../cli.ts';
import { businessText } from '../text/business-text.ts';
import type { WireBusiness } from '../wire.ts';

/** `portcullis business`. */
export const registerBusiness: RegisterCommands = (program, cli) => {
  const business = program
    .command('business')
    .summary('what an agent comes to for the business')
    .description(
      'Completion over tasks started, minutes of people per 100 writes, effort of customers, and the cost of a task that stayed right, by segment; each figure with what it is made of, what is not known of it, and the technical signal beside it. Says "caused" only between arms.',
    )
    .argument('<agent>', 'the agent')
    .option('--since <period>', 'how long before its end, or an instant', '30d')
    .option('--until <instant>', 'the end of the period (default: now)')
    .action(async (agent: string, { since, until }: { since: string; until?: string }) => {
      const path = `/v1/agents/${encodeURIComponent(agent)}/business`;
      const found = await cli.api.get<WireBusiness>(path, { since, until });
      cli.print(found, () => businessText(found, cli.io.columns));
    });
  withExample(business, 'portcullis business airline-desk --since 30d');
};
