import { type Actor, requireRole } from '../actor.ts';
import { digestOf } from '../domain/digest.ts';
import { pathText } from '../domain/problem.ts';
import { checkRates, type Rates } from '../domain/rates.ts';
import { AppError } from '../errors.ts';
import { figures } from '../records/figures.ts';
import { appendEntry } from '../records/log-entry.ts';
import { manifestOf } from '../records/manifest.ts';
import type { Services } from '../services.ts';

/** The rates of an agent as they are stored. */
export interface AppliedRates {
  agent: string;
  revision: number;
  digest: string;
  changed: boolean;
}

/**
 * Declares what harm costs. The figures stand beside the evidence from now on, also of rollouts that are open: no judgement
 * rests on them.
 * @throws AppError `invalid_input` with every problem, `not_found`, `forbidden`
 */
export async function applyRates(services: Services, actor: Actor, rates: Rates): Promise<AppliedRates> {
  const { agent } = rates;
  requireRole(actor, ['release-manager'], agent);
  const now = services.clock.now();
  const digest = digestOf(figures(rates));
  return services.db.sql.transaction().execute(async (tx) => {
    const manifest = await manifestOf(tx, agent);
    const problems = checkRates(rates, manifest).map(
      ({ path, message, hint }) => `${pathText(path)}: ${message} - ${hint}`,
    );
    if (problems.length > 0) throw new AppError('invalid_input', problems.join('\n'), { problems });
    // The row of the agent puts two that apply at once one after the other.
    await tx.selectFrom('agent').select('name').where('name', '=', agent).forUpdate().execute();
    const before = await tx
      .selectFrom('rates')
      .select(['revision', 'digest'])
      .where('agent', '=', agent)
      .orderBy('revision', 'desc')
      .limit(1)
      .executeTakeFirst();
    if (before?.digest === digest) return { agent, revision: before.revision, digest, changed: false };
    const revision = (before?.revision ?? 0) + 1;
    await tx
      .insertInto('rates')
      .values({
        agent,
        revision,
        manifest: JSON.stringify(rates),
        digest,
        applied_at: now,
        applied_by: actor.id,
      })
      .execute();
    await appendEntry(tx, {
      kind: 'rates.applied',
      agent,
      ref: agent,
      at: now,
      actor: actor.id,
      data: { revision, digest, owner: rates.owner, currency: rates.currency, rates: figures(rates.rates) },
    });
    return { agent, revision, digest, changed: true };
  });
}
