import { sql } from 'kysely';
import { beforeAll, expect, test } from 'vitest';
import { askAction } from '../../src/actions/ask.ts';
import { beginAction } from '../../src/actions/begin.ts';
import { completeAction } from '../../src/actions/complete.ts';
import { correctAction } from '../../src/actions/correct.ts';
import { answerAction } from '../../src/approvals/answer.ts';
import type { SystemView } from '../../src/domain/system/view.ts';
import { readFlows } from '../../src/system/flows.ts';
import { readSystem } from '../../src/system/read.ts';
import { call, givenApi, type TestApi } from '../support/api.ts';
import { actorOf, agentActor, approverActor, askInput } from '../support/fixtures.ts';
import { WRITTEN_LOG } from '../support/log.ts';
import { seeded } from '../support/seeded.ts';
import { describeWithServices } from '../support/services.ts';
import { openBrowser } from './api/browser.ts';

const HOUR_MS = 3_600_000;
const QUESTIONS = 44;
const MARKED = 30;
/** Of a begun write, until nobody knows what became of it. */
const SILENCE = '120 seconds';
const auditor = actorOf('auditor');

/** The same figures from the log alone: what was asked in the window, and what its entries say up to a moment. */
async function countedFromLog(services: TestApi['services'], from: Date, asOf: Date) {
  const { rows } = await sql<Record<string, number | string | null>>`
    WITH entry AS (SELECT ref, kind, at, body::jsonb AS body FROM ${WRITTEN_LOG} e WHERE at <= ${asOf}),
    asked AS (SELECT ref, body #>> '{data,tool}' AS tool FROM entry WHERE kind = 'action.asked' AND at >= ${from}),
    said AS (SELECT a.tool, a.ref, e.kind, e.at, e.body FROM asked a JOIN entry e ON e.ref = a.ref)
    SELECT tool, count(*) FILTER (WHERE kind = 'action.asked')::int AS events,
      count(DISTINCT ref) FILTER (WHERE kind = 'action.denied'
        OR (kind = 'action.asked' AND body #>> '{data,outcome}' = 'denied'))::int AS denied,
      count(*) FILTER (WHERE kind = 'action.begun')::int AS begun,
      count(*) FILTER (WHERE kind = 'action.executed')::int AS executed,
      count(*) FILTER (WHERE kind = 'action.failed' OR (kind = 'action.begun' AND at <= ${asOf}::timestamptz - ${SILENCE}::interval
        AND NOT EXISTS (SELECT 1 FROM entry x WHERE x.ref = said.ref AND x.kind IN ('action.executed', 'action.failed'))))::int AS failed,
      count(*) FILTER (WHERE kind = 'action.corrected')::int AS corrected,
      count(*) FILTER (WHERE kind = 'credential.issued')::int AS credentialed
    FROM said GROUP BY tool ORDER BY tool`.execute(services.db.sql);
  return rows;
}

const counted = ({ tools }: SystemView) =>
  tools
    .filter(({ line }) => line !== 'idle')
    .map(({ tool, events, denied, begun, executed, errors, corrected }) => ({
      tool,
      events,
      denied,
      begun,
      executed,
      failed: errors,
      corrected,
    }));
const stage = ({ stages }: SystemView, id: string) => stages.find((one) => one.id === id);

describeWithServices('the view of the system', (make) => {
  let api: TestApi;
  let marked: Date;
  let shownThen: string;

  /** Asked, and by chance answered, begun, completed and corrected, each a little later. */
  async function one(n: number, random: () => number): Promise<void> {
    const { services } = api;
    const tool = ['lookup', 'cancel', 'cancel', 'refund', 'unheard-of'][Math.floor(random() * 5)] ?? 'cancel';
    const args = tool === 'refund' ? { amount: 3 } : tool === 'cancel' ? { id: `R-${n}` } : {};
    const input = askInput({ tool, args, agentVersion: random() < 0.5 ? '1.0.0' : '1.0.1' });
    const { action } = await askAction(services, agentActor(), input);
    if (action.state !== 'pending' || random() < 0.2) return;
    services.clock.advance(Math.floor(random() * 20_000));
    const verdict = random() < 0.3 ? 'deny' : 'approve';
    const answered = await answerAction(services, approverActor(), { id: action.id, verdict, reason: 'so' });
    if (answered.action.state !== 'approved' || random() < 0.2) return;
    services.clock.advance(1_000);
    const done = { id: action.id, executionId: `e-${n}` };
    await beginAction(services, agentActor(), done);
    services.clock.advance(1_500);
    if (random() < 0.1) return;
    const ok = random() < 0.8;
    await completeAction(services, agentActor(), { ...done, ok });
    if (ok && random() < 0.3)
      await correctAction(services, approverActor(), { id: action.id, reason: 'wrong one' });
  }

  beforeAll(async () => {
    api = await givenApi(make);
    const random = seeded(11);
    for (let n = 0; n < QUESTIONS; n++) {
      await one(n, random);
      api.services.clock.advance(60_000);
      if (n !== MARKED) continue;
      marked = api.services.clock.now();
      shownThen = JSON.stringify(await readSystem(api.services, auditor, { agent: 'desk' }));
      api.services.clock.advance(1);
    }
  });

  // Proof 11. Red when a count of readFlows() loses its "<= at", or its window.
  test('equals what another query counts from the log, now and as it was then', async () => {
    const now = api.services.clock.now();
    for (const [at, window] of [
      [now, HOUR_MS],
      [now, 3 * HOUR_MS],
      [marked, HOUR_MS],
      [new Date(marked.getTime() - 1_000_000), HOUR_MS / 2],
    ] as const) {
      const view = await readSystem(api.services, auditor, { agent: 'desk', at, window: `${window}ms` });
      const fromLog = await countedFromLog(api.services, new Date(at.getTime() - window), at);
      const declared = fromLog.filter(({ tool }) => tool !== null);
      expect(counted(view)).toEqual(declared.map(({ credentialed: _, ...row }) => row));
      const sum = (key: string) => fromLog.reduce((total, row) => total + Number(row[key]), 0);
      expect(stage(view, 'agents')?.figures).toMatchObject({ events: sum('events'), errors: sum('denied') });
      expect(stage(view, 'begin')?.figures.events).toBe(sum('begun'));
      expect(stage(view, 'credential')?.figures.events).toBe(sum('credentialed'));
      expect(stage(view, 'outcomes')?.figures.errors).toBe(sum('corrected'));
      expect(sum('events')).toBeGreaterThan(9);
    }
  });

  test('as at a moment is what was shown at that moment, byte for byte', async () => {
    const again = await readSystem(api.services, auditor, { agent: 'desk', at: marked });
    expect(JSON.stringify(again)).toBe(shownThen);
  });

  test('looks at so many questions and no more, and says from when on they are', async () => {
    const asOf = api.services.clock.now();
    const from = new Date(asOf.getTime() - 24 * HOUR_MS);
    const {
      flows,
      shortened,
      from: since,
    } = await readFlows(api.services.db.sql, { agent: 'desk', from, asOf }, 10);
    expect(flows.find(({ by, agent }) => by === 'all' && agent === null)?.asked).toBe(10);
    expect(shortened).toBe(true);
    expect(since.getTime()).toBeGreaterThan(asOf.getTime() - HOUR_MS);
    const all = await readFlows(api.services.db.sql, { agent: undefined, from, asOf });
    expect(all).toMatchObject({ shortened: false, from });
  });

  test('an incident shows its moment, its path and the link that failed; another agent’s token learns nothing', async () => {
    const { db, clock } = api.services;
    const right = db.sql
      .selectFrom('action')
      .select('id')
      .where('state', '=', 'executed')
      .where('corrected_at', 'is', null);
    const [row] = await right.execute();
    await db.sql
      .insertInto('incident')
      .values({
        id: 'inc-12',
        agent: 'desk',
        title: 'the wrong order',
        opened_at: marked,
        opened_by: 'ana',
        evidence: '{}',
        mechanism: 'misled_approval',
        tool: 'cancel',
      })
      .execute();
    await db.sql
      .insertInto('incident_action')
      .values({ action_id: row?.id ?? '', incident_id: 'inc-12', because: 'named', at: marked, by: 'ana' })
      .execute();
    const { json, status } = await call(api.app, 'GET /v1/system?incident=inc-12', { as: api.as.auditor });
    expect({ status, asOf: json.asOf, incident: json.incident?.failed }).toEqual({
      status: 200,
      asOf: marked.toISOString(),
      incident: 'approvers',
    });
    expect(counted(json)).toEqual(counted(JSON.parse(shownThen)));
    expect(
      json.stages.filter(({ lit }: { lit: boolean }) => lit).map(({ id }: { id: string }) => id),
    ).toContain('begin');
    expect(json.tools.find(({ tool }: { tool: string }) => tool === 'cancel').lit).toBe(true);
    const both = `GET /v1/system?incident=inc-12&at=${marked.toISOString()}` as const;
    expect((await call(api.app, both, { as: api.as.auditor })).status).toBe(400);
    expect((await call(api.app, 'GET /v1/system?incident=inc-0', { as: api.as.auditor })).status).toBe(404);
    for (const window of ['1s', '32d', 'soon'])
      expect((await call(api.app, `GET /v1/system?window=${window}`, { as: api.as.auditor })).status).toBe(
        400,
      );
    const later = new Date(clock.now().getTime() + 1_000).toISOString();
    expect((await call(api.app, `GET /v1/system?at=${later}`, { as: api.as.auditor })).status).toBe(400);
    expect((await call(api.app, 'GET /v1/system?agent=nobody', { as: api.as.auditor })).status).toBe(404);
  });

  test('is data, a picture or text, by Accept or by format, and a page', async () => {
    const get = (query: string, accept?: string) =>
      call(api.app, `GET /v1/system${query}`, { as: api.as.auditor, ...(accept && { headers: { accept } }) });
    const svg = await get('?format=svg');
    expect(svg.headers['content-type']).toContain('image/svg+xml');
    expect(svg.text).toMatch(/^<svg /);
    expect((await get('', 'image/svg+xml')).text).toBe(svg.text);
    expect((await get('?format=mermaid')).text).toContain('flowchart LR');
    expect((await get('', 'application/json')).json.stages).toHaveLength(17);
    const browser = await openBrowser(api.app, api.as.ana);
    const page = (await browser.get('/system?incident=inc-12')).text;
    expect(page).toContain('it failed at <strong>Approver groups</strong>');
    expect(page).toContain('<svg ');
    expect(page).toContain('<th scope="row">cancel (on the path)</th>');
    expect(page).not.toContain('style=');
    expect((await browser.get('/system?at=yesterday')).status).toBe(400);
  });
});
