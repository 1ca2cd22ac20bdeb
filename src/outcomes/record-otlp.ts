import { sql } from 'kysely';
import { type Actor, requireRole } from '../actor.ts';
import type { Sql } from '../db/database.ts';
import { withoutDeadlock } from '../db/failure.ts';
import { type Agent, segmentNames } from '../domain/agent.ts';
import { digestOf } from '../domain/digest.ts';
import type { OtlpSource } from '../domain/metric-source.ts';
import { NAME_PATTERN } from '../domain/name.ts';
import { advance, type OtlpPoint, type OtlpTotals, totalsOf } from '../domain/otlp.ts';
import { AppError } from '../errors.ts';
import type { Services } from '../services.ts';

const POINTS_MAX = 2_000;

/** Points that could have counted and do not, and why the first of them does not. Others are no metric's and are let pass. */
export interface OtlpRecorded {
  rejected: number;
  message: string;
}

/** A point, and the metric that it counts in. */
interface Counted {
  metric: string;
  release: string;
  segment: string;
  series: string;
  point: OtlpPoint;
  totals: OtlpTotals;
}

/**
 * Counts what an OpenTelemetry exporter sent, all in one transaction; what is sent again counts once. Minute by minute: the
 * sources of rollouts read it from there.
 * @throws AppError `unknown_agent`, `invalid_input` for more than one request may hold
 */
export async function recordOtlp(
  services: Services,
  actor: Actor,
  points: readonly OtlpPoint[],
): Promise<OtlpRecorded> {
  requireRole(actor, ['agent']);
  const { agent = '' } = actor;
  const world = await services.worlds.get(agent);
  if (!world) throw new AppError('unknown_agent', `Agent "${agent}" is not known`);
  const problems: string[] = [];
  const counted = points.flatMap((point) => countedOf(world.agent, point, problems));
  if (counted.length > POINTS_MAX)
    throw new AppError('invalid_input', `${counted.length} points are too many: send at most ${POINTS_MAX}`);
  if (counted.length > 0)
    await withoutDeadlock(() =>
      services.db.sql
        .transaction()
        .execute((tx) => count(tx, agent, counted, services.clock.now(), problems)),
    );
  return { rejected: problems.length, message: problems[0] ?? '' };
}

/** One for each metric that the instrument counts in. */
function countedOf(agent: Agent, point: OtlpPoint, problems: string[]): Counted[] {
  return Object.entries(agent.metrics).flatMap(([metric, { source }]): Counted[] => {
    const otlp = source?.otlp;
    if (!otlp || (point.name !== otlp.events && point.name !== otlp.harms)) return [];
    const place = placeOf(agent, point, otlp);
    const totals = totalsOf(point, otlp);
    const problem = 'problem' in place ? place.problem : 'problem' in totals ? totals.problem : undefined;
    if (problem !== undefined || 'problem' in place || 'problem' in totals) {
      problems.push(`${metric}: ${problem}`);
      return [];
    }
    return [{ metric, ...place, series: digestOf(point.series), point, totals }];
  });
}

function placeOf(
  agent: Agent,
  { name, attributes }: OtlpPoint,
  source: OtlpSource,
): { release: string; segment: string } | { problem: string } {
  const [release, segment] = [attributes[source.release], attributes[source.segment]];
  if (release === undefined || !NAME_PATTERN.test(release))
    return { problem: `${name} has no release: set the attribute ${source.release}` };
  if (segment === undefined || !segmentNames(agent).includes(segment))
    return {
      problem: `${name} has ${segment === undefined ? 'no segment' : `the segment "${segment.slice(0, 60)}"`}: set the attribute ${source.segment} to one of ${segmentNames(agent).join(', ')}`,
    };
  return { release, segment };
}

/** One series after the other, in an order that all share: two requests never wait for each other. */
async function count(
  tx: Sql,
  agent: string,
  counted: readonly Counted[],
  now: Date,
  problems: string[],
): Promise<void> {
  const ordered = [...counted].sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
  for (const { metric, release, segment, series, point, totals } of ordered) {
    await sql`INSERT INTO otlp_series VALUES (${agent}, ${metric}, ${series}, 0, 0, 0, 0, ${now})
      ON CONFLICT DO NOTHING`.execute(tx);
    const row = await tx
      .selectFrom('otlp_series')
      .selectAll()
      .where('agent', '=', agent)
      .where('metric', '=', metric)
      .where('series', '=', series)
      .forUpdate()
      .executeTakeFirstOrThrow();
    const known = row.time === '0' ? undefined : { ...row, start: BigInt(row.start), time: BigInt(row.time) };
    const next = advance(known, point, totals, now.getTime());
    if ('problem' in next) problems.push(`${metric}: ${next.problem}`);
    if (!('series' in next)) continue;
    const { start, time, events, harms } = next.series;
    await tx
      .updateTable('otlp_series')
      .set({ start: String(start), time: String(time), events, harms, seen_at: now })
      .where('agent', '=', agent)
      .where('metric', '=', metric)
      .where('series', '=', series)
      .execute();
    const { added } = next;
    if (added.events === 0 && added.harms === 0) continue;
    await sql`INSERT INTO otlp_count AS c
      VALUES (${agent}, ${metric}, ${release}, ${segment}, date_trunc('minute', to_timestamp(${String(time)}::numeric / 1e9)),
        ${added.events}, ${added.harms})
      ON CONFLICT (agent, metric, release, segment, minute)
      DO UPDATE SET events = c.events + excluded.events, harms = c.harms + excluded.harms`.execute(tx);
  }
}

const keyOf = ({ metric, series, point }: Counted): string =>
  `${metric} ${series} ${String(point.time).padStart(20, '0')}`;
