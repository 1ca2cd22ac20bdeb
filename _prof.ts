import { fork } from 'node:child_process';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import autocannon from 'autocannon';
const child = fork('./_prof-server.ts', [], { execArgv: ['--import', 'tsx'] });
const [{ url, headers }] = await once(child, 'message') as any;
const say = async (m: any) => { child.send(m); const [a] = await once(child, 'message'); return a as any; };
let n = 0;
async function load(path: string, body: () => object, seconds: number) {
  return autocannon({ url: url + path, connections: 64, duration: seconds, setupClient: (c) => c.setHeaders({ ...headers, 'content-type': 'application/json' }), requests: [{ method: 'POST', setupRequest: (r) => ({ ...r, body: JSON.stringify(body()) }) }] });
}
const ask = (tool: string, args: object) => () => ({ agentVersion: '1', tool, args, subject: `conversation-${n % 1000}`, idempotencyKey: `${process.pid}-${n++}` });
async function measure(name: string, path: string, body: () => object) {
  await load(path, body, 3);
  for (const prof of [false, true]) {
    await say({ do: 'start', prof });
    const r = await load(path, body, 5);
    const { cpu } = await say({ do: 'stop', file: `/tmp/answer/${process.argv[2]}-${name}.cpuprofile` });
    if (!prof) console.log(name, `${Math.round(r.requests.average)}/s p50 ${r.latency.p50} p99 ${r.latency.p99} non2xx ${r.non2xx} node ${(cpu / r.requests.total).toFixed(0)} us/request`);
  }
}
await measure('reads', '/v1/actions', ask('lookup', {}));
await measure('writes', '/v1/actions?begin=true', ask('cancel', { id: 'R-1' }));
child.send({ do: 'end' });
await once(child, 'exit');
