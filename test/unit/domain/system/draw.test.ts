import { expect, test } from 'vitest';
import { drawSystem } from '../../../../src/domain/system/draw.ts';
import { lanesOf } from '../../../../src/domain/system/lanes.ts';
import { FAILED_STAGE } from '../../../../src/domain/system/mechanisms.ts';
import { mermaidSystem } from '../../../../src/domain/system/mermaid.ts';
import { STAGES } from '../../../../src/domain/system/stages.ts';
import { systemView } from '../../../../src/domain/system/view.ts';
import { factsOf, incidentOf } from './facts.ts';

const placesOf = (svg: string): Map<string, string> =>
  new Map(
    [...svg.matchAll(/<text x="(\d+)" y="(\d+)" class="strong" font-weight="600">([^<]+)</g)].map(
      ([, x, y, words]) => [words ?? '', `${x},${y}`],
    ),
  );

test('the same facts are the same bytes, in whatever order they come', () => {
  const facts = factsOf(12);
  const again = { ...facts, flows: facts.flows.toReversed() };
  expect(drawSystem(systemView(structuredClone(facts)))).toBe(drawSystem(systemView(facts)));
  expect(drawSystem(systemView(again))).toBe(drawSystem(systemView(facts)));
  expect(mermaidSystem(systemView(again))).toBe(mermaidSystem(systemView(facts)));
});

test('each stage and tool keeps its place whatever happened', () => {
  const busy = placesOf(drawSystem(systemView(factsOf(12)), { idle: true }));
  const quiet = placesOf(drawSystem(systemView(factsOf(12, { flows: [], verdicts: [] })), { idle: true }));
  for (const name of ['Begin', 'Judge', 'tool_00', 'tool_11']) expect(quiet.get(name)).toBe(busy.get(name));
  expect(busy.size).toBeGreaterThan(STAGES.length);
});

test('lines tell enforced, advisory, outside and idle apart without colour; idle is hidden by default', () => {
  const outside = [{ agent: 'desk', tool: 'tool_03', incident: 'inc-3', writes: 2 }];
  const view = systemView(factsOf(12, { outside }));
  expect(view.tools.map(({ line }) => line).slice(0, 7)).toEqual([
    'advisory',
    'idle',
    'idle',
    'outside',
    'idle',
    'idle',
    'enforced',
  ]);
  expect(view.tools[0]?.outside).toContain('cannot tell');
  expect(view.tools[3]?.outside).toBe('seen without a begin: inc-3 (2)');
  const svg = drawSystem(view);
  expect(svg).toContain('url(#hatch)');
  expect(svg).toMatch(/class="dashed"[^>]* stroke-dasharray="14 8"/);
  expect(svg).not.toContain('>tool_01<');
  expect(drawSystem(view, { idle: true })).toContain('>tool_01<');
});

test('above 40 tools there is a line for each risk, with the sums of its tools', () => {
  expect(lanesOf(systemView(factsOf(40)))).toHaveLength(40);
  const view = systemView(factsOf(60));
  const lanes = lanesOf(view);
  expect(lanes.map(({ name }) => name)).toEqual([
    'high risk: 0 of 20 tools',
    'medium risk: 0 of 20 tools',
    'low risk: 20 of 20 tools',
  ]);
  expect(lanes[2]?.tool).toMatchObject({ events: 200, begun: 160, executed: 140, errors: 20, p95Ms: 1_200 });
  expect(lanes[2]?.line).toBe('advisory');
  expect(drawSystem(view).match(/<svg[^>]* height="(\d+)"/)?.[1]).toBe('709');
});

test('an incident lights its path, and its mechanism marks the link that failed', () => {
  for (const [mechanism, stage] of Object.entries(FAILED_STAGE)) {
    const view = systemView(factsOf(3, { incident: incidentOf(mechanism) }));
    expect(view.stages.filter(({ failed }) => failed).map(({ id }) => id)).toEqual([stage]);
    expect(drawSystem(view).match(/FAILED HERE/g)).toHaveLength(1);
    expect(mermaidSystem(view)).toContain(`class ${stage} failed`);
  }
  const open = systemView(factsOf(3, { incident: incidentOf(null) }));
  expect(open.stages.some(({ failed }) => failed)).toBe(false);
  expect(open.stages.filter(({ lit }) => lit).map(({ id }) => id)).toContain('gateway');
  expect(open.tools.map(({ lit }) => lit)).toEqual([true, true, false]);
  expect(open.notes).toEqual(['inc-12 is not classified: no link is marked']);
  const stopped = incidentOf('over_block', {
    actions: [{ tool: 'tool_00', asked: true, begun: false }],
    metric: null,
  });
  const view = systemView(factsOf(3, { incident: stopped }));
  expect(view.stages.filter(({ lit }) => lit).map(({ id }) => id)).not.toContain('gateway');
});

// Red without escaped() of draw.ts and quoted() of mermaid.ts.
test('what came from elsewhere is text in the picture and in Mermaid', () => {
  const evil = '<script>"]; click x "javascript:1"\n%%{init}';
  const facts = factsOf(3, {
    off: [{ scope: 'everything', since: '2026-12-01T14:00:00.000Z', reason: evil }],
    incident: incidentOf('late_stop', { id: evil, title: evil }),
  });
  const svg = drawSystem(systemView(facts));
  expect(svg).not.toContain('<script>');
  expect(svg).toContain('&lt;script&gt;');
  const mermaid = mermaidSystem(systemView(facts));
  expect(mermaid).not.toContain('<script>');
  expect(mermaid).not.toContain('%%{init}');
});

// Red without escaped() of draw.ts, and without quoted() of mermaid.ts at either label.
test('the label of a tool or a stage neither ends early nor begins markup', () => {
  const evil = '<b>"]; x["y\nclick z';
  const facts = factsOf(1);
  const named = <One extends { name: string | null }>(one: One): One =>
    one.name === 'tool_00' ? { ...one, name: evil } : one;
  const plain = systemView({
    ...facts,
    agents: facts.agents.map((agent) => ({ ...agent, tools: agent.tools.map(named) })),
    flows: facts.flows.map(named),
  });
  const view = { ...plain, stages: plain.stages.map((stage) => ({ ...stage, title: evil })) };
  const lines = mermaidSystem(view).split('\n');
  const labels = lines.filter((line) => line.includes('['));
  expect(labels).toHaveLength(STAGES.length + 1);
  for (const label of labels) expect(label).toMatch(/^ +\w+\["[^"<>\n[\]]*"\]$/);
  expect(lines.filter((line) => line.startsWith('click'))).toEqual([]);
  const svg = drawSystem(view);
  expect(svg).not.toContain('<b>');
  expect(svg.match(/&lt;b&gt;/g)?.length).toBeGreaterThan(STAGES.length);
});

test('a stage without anything says so, and shares are of what could have been an error', () => {
  const idle = systemView(factsOf(3, { flows: [], verdicts: [] }));
  for (const { figures } of idle.stages)
    expect(figures).toMatchObject({ events: 0, perMinute: 0, errorShare: null });
  const stage = (id: string) => systemView(factsOf(3)).stages.find((one) => one.id === id)?.figures;
  expect(stage('gateway')).toMatchObject({
    events: 8,
    errors: 1,
    errorShare: 0.125,
    p95Ms: 1_200,
    perMinute: 0.1333,
  });
  expect(stage('guardrails')).toMatchObject({ events: 1, errors: 1, errorShare: 1 });
  expect(stage('surfaces')).toMatchObject({ errors: null, errorShare: null });
});
