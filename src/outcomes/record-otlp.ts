import { sql } from 'kysely';
import { type Actor, requireRole } from '../actor.ts';
import type { Sql } from '../db/database.ts';
import { withoutDeadlock } from '../db/failure.ts';
import { type Agent, segmentNames } from '../domain/agent.ts';
import type { OtlpSource } from '../domain/metric-source.ts';
import { NAME_PATTERN } from '../domain/name.ts';
import { advance, type OtlpPoint, type OtlpTotals, totalsOf } from '../domain/otlp.ts';
import { AppError } from '../errors.ts';
import { type OtlpExport, pointsOf } from '../metric-sources/otlp/request.ts';
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
  exports: readonly OtlpExport[],
): Promise<OtlpRecorded> {
  requireRole(actor, ['agent']);
  const { agent = '' } = actor;
  const world = await services.worlds.get(agent);
  if (!world) throw new AppError('unknown_agent', `Agent "${agent}" is not known`);
  const named = instrumentsOf(world.agent);
  const refused: string[] = [];
  const counted = exports
    .flatMap((one) => pointsOf(one, (name) => named.has(name)))
    .flatMap((point) => countedOf(world.agent, point, refused));
  if (counted.length > POINTS_MAX)
    throw new AppError('invalid_input', `${counted.length} points are too many: send at most ${POINTS_MAX}`);
  const now = services.clock.now();
  const exporters = [...new Set(exports.map(({ exporter }) => exporter))];
  const late = await withoutDeadlock(() =>
    services.db.sql.transaction().execute((tx) => count(tx, agent, counted, exporters, now)),
  );
  const problems = [...refused, ...late];
  return { rejected: problems.length, message: problems[0] ?? '' };
}

const instrumentsOf = ({ metrics }: Agent): ReadonlySet<string> =>
  new Set(
    Object.values(metrics).flatMap(({ source }) =>
      source?.otlp ? [source.otlp.events, ...(source.otlp.harms ? [source.otlp.harms] : [])] : [],
    ),
  );

/** One for each metric that the instrument counts in. */
function countedOf(agent: Agent, point: OtlpPoint, refused: string[]): Counted[] {
  return Object.entries(agent.metrics).flatMap(([metric, { source }]): Counted[] => {
    const otlp = source?.otlp;
    if (!otlp || (point.name !== otlp.events && point.name !== otlp.harms)) return [];
    const place = placeOf(agent, point, otlp);
    const totals = totalsOf(point, otlp);
    const problem = 'problem' in place ? place.problem : 'problem' in totals ? totals.problem : undefined;
    if (problem !== undefined || 'problem' in place || 'problem' in totals) {
      refused.push(`${metric}: ${problem}`);
      return [];
    }
    return [{ metric, ...place, point, totals }];
  });
}

function placeOf(
  agent: Agent,
  { name, attributes, resource }: OtlpPoint,
  source: OtlpSource,
): { release: string; segment: string } | { problem: string } {
  const [release, segment] = [source.release, source.segment].map((key) => attributes[key] ?? resource[key]);
  if (release === undefined || !NAME_PATTERN.test(release))
    return { problem: `${name} has no release: set the attribute ${source.release}` };
  if (segment === undefined || !segmentNames(agent).includes(segment))
    return {
      problem: `${name} has ${segment === undefined ? 'no segment' : `the segment "${segment.slice(0, 60)}"`}: set the attribute ${source.segment} to one of ${segmentNames(agent).join(', ')}`,
    };
  return { release, segment };
}

/** Rows of each table in an order that all share: two requests never wait for each other. Returns what could not count. */
async function count(
  tx: Sql,
  agent: string,
  counted: readonly Counted[],
  exporters: readonly string[],
  now: Date,
): Promise<string[]> {
  const known = await hear(tx, agent, exporters, now);
  const problems: string[] = [];
  const minutes = new Map<string, Minute>();
  const senders = new Map<string, Counted>();
  for (const one of [...counted].sort(bySeries)) {
    const { metric, release, segment, point, totals } = one;
    senders.set(JSON.stringify([metric, release, point.exporter]), one);
    const next = await advanceSeries(tx, { agent, metric, series: point.series }, now, (series) =>
      advance(series, point, totals, { nowMs: now.getTime(), exporterKnown: known.has(point.exporter) }),
    );
    if ('problem' in next) problems.push(`${metric}: ${next.problem}`);
    if (!('series' in next)) continue;
    const minute = String(point.time / NS_PER_MINUTE);
    const key = JSON.stringify([metric, release, segment, minute]);
    const { events, harms } = minutes.get(key) ?? { events: 0, harms: 0 };
    const { added } = next;
    minutes.set(key, {
      ...{ metric, release, segment, minute },
      ...{ events: events + added.events, harms: harms + added.harms },
    });
  }
  for (const { metric, release, point } of inOrder(senders))
    await sql`INSERT INTO otlp_sender VALUES (${agent}, ${metric}, ${release}, ${point.exporter})
      ON CONFLICT DO NOTHING`.execute(tx);
  for (const { metric, release, segment, minute, events, harms } of inOrder(minutes))
    if (events > 0 || harms > 0)
      await sql`INSERT INTO otlp_count AS c
        VALUES (${agent}, ${metric}, ${release}, ${segment}, to_timestamp(${minute}::float8 * 60), ${events}, ${harms})
        ON CONFLICT (agent, metric, release, segment, minute)
        DO UPDATE SET events = c.events + excluded.events, harms = c.harms + excluded.harms`.execute(tx);
  return problems;
}

const NS_PER_MINUTE = 60_000_000_000n;

/** What the points of one minute, since 1970, add. */
interface Minute extends OtlpTotals {
  metric: string;
  release: string;
  segment: string;
  minute: string;
}

const inOrder = <Row>(rows: ReadonlyMap<string, Row>): Row[] =>
  [...rows].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, row]) => row);

const bySeries = (one: Counted, other: Counted): number => (keyOf(one) < keyOf(other) ? -1 : 1);

const keyOf = ({ metric, point }: Counted): string =>
  `${metric} ${point.series} ${String(point.time).padStart(20, '0')}`;

/** Notes that these exporters were heard. Those that were heard before. */
async function hear(
  tx: Sql,
  agent: string,
  exporters: readonly string[],
  now: Date,
): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ exporter: string; known: boolean }>`
    INSERT INTO otlp_exporter AS e SELECT ${agent}, x, ${now} FROM unnest(${exporters}::text[]) AS x ORDER BY x
    ON CONFLICT (agent, exporter) DO UPDATE SET heard_at = greatest(e.heard_at, excluded.heard_at)
    RETURNING exporter, (xmax <> 0) AS known`.execute(tx);
  return new Set(rows.flatMap(({ exporter, known }) => (known ? exporter : [])));
}

type Advanced = ReturnType<typeof advance>;

async function advanceSeries(
  tx: Sql,
  key: { agent: string; metric: string; series: string },
  now: Date,
  step: (known: Parameters<typeof advance>[0]) => Advanced,
): Promise<Advanced> {
  await sql`INSERT INTO otlp_series VALUES (${key.agent}, ${key.metric}, ${key.series}, 0, 0, 0, 0, ${now})
    ON CONFLICT DO NOTHING`.execute(tx);
  const row = await tx
    .selectFrom('otlp_series')
    .selectAll()
    .where('agent', '=', key.agent)
    .where('metric', '=', key.metric)
    .where('series', '=', key.series)
    .forUpdate()
    .executeTakeFirstOrThrow();
  const next = step(
    row.time === '0' ? undefined : { ...row, start: BigInt(row.start), time: BigInt(row.time) },
  );
  if ('series' in next) {
    const { start, time, events, harms } = next.series;
    await tx
      .updateTable('otlp_series')
      .set({ start: String(start), time: String(time), events, harms, seen_at: now })
      .where('agent', '=', key.agent)
      .where('metric', '=', key.metric)
      .where('series', '=', key.series)
      .execute();
  }
  return next;
}
