import { parseArgs } from 'node:util';
import { ROLES, type Role } from '../../src/actor.ts';
import { MATRIX } from '../integration/api/role-matrix.ts';
import { configOf } from './config.ts';
import { toTry } from './document.ts';
import { findSchemathesis, type Phase, type Report, runSchemathesis } from './schemathesis.ts';
import { type FuzzedService, startFuzzedService } from './service.ts';

/** All callers together. */
const SECONDS = 300;
const SEED = 20_261_129;

interface Caller {
  /** Of the time; 0: `examples` of every operation, however long they take. */
  shares: number;
  examples?: number;
  phases: readonly Phase[];
  /** Undefined without a token. */
  roles?: readonly Role[];
  /** Tries nothing else. */
  only?: string;
}

/** Whoever may do it and knows the ids of tokens ends its own one sooner or later, and is nobody from then on. */
const ENDS_ITSELF = 'revokeToken';
const DEEP: readonly Phase[] = ['fuzzing', 'stateful'];
/**
 * What comes before the rights, such as malformed bodies, is tried by who has every role; a role tries what it may do.
 * Whoever may change most comes last, so that the others find most of what was given.
 */
const CALLERS: Readonly<Record<string, Caller>> = {
  nobody: { shares: 0, examples: 2, phases: ['fuzzing'] },
  agent: { shares: 1, phases: DEEP, roles: ['agent'] },
  auditor: { shares: 1, phases: DEEP, roles: ['auditor'] },
  approver: { shares: 1, phases: DEEP, roles: ['approver'] },
  admin: { shares: 1, phases: DEEP, roles: ['admin'] },
  'admin, revoking': {
    shares: 0,
    examples: 50,
    phases: ['coverage', 'fuzzing'],
    roles: ['admin'],
    only: ENDS_ITSELF,
  },
  'release-manager': { shares: 1, phases: DEEP, roles: ['release-manager'] },
  'on-call': { shares: 1, phases: DEEP, roles: ['on-call'] },
  'every role': { shares: 3, phases: ['coverage', ...DEEP], roles: ROLES },
};

interface Row extends Report {
  caller: string;
  /** Answers by the first digit of their status, as the service counts them. */
  answers: Readonly<Record<string, number>>;
  /** 5xx by "503 PUT /v1/agents/:agent". */
  failed: readonly string[];
  logged: string;
}

const say = (line = '') => console.log(line);

async function main(): Promise<boolean> {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string' },
      seed: { type: 'string' },
      caller: { type: 'string', multiple: true },
    },
  });
  const callers = Object.entries(CALLERS).filter(([name]) => values.caller?.includes(name) ?? true);
  const untried = ROLES.filter((role) => !Object.hasOwn(CALLERS, role));
  if (callers.length === 0) throw new Error(`--caller is one of ${Object.keys(CALLERS).join(', ')}`);
  if (untried.length > 0) throw new Error(`Nobody tries the roles ${untried.join(', ')}`);
  const seed = Number(values.seed ?? SEED);
  const shares = callers.reduce((sum, [, caller]) => sum + caller.shares, 0);
  const shareS = Number(values.seconds ?? SECONDS) / Math.max(1, shares);
  const python = await findSchemathesis(say);
  say(`Seed ${seed}; about ${Math.round(shareS * shares)} s`);
  const service = await startFuzzedService();
  const rows: Row[] = [];
  try {
    for (const [name, caller] of callers) {
      const row = await fuzz(service, {
        name,
        caller,
        python,
        seconds: Math.round(shareS * caller.shares),
        seed,
      });
      rows.push(row);
      if (!isClean(row)) say(`\n${name}:\n${row.text}\n${row.failed.join('\n')}\n${row.logged}`);
    }
  } finally {
    await service.stop();
  }
  say(tableOf(rows));
  return rows.every(isClean);
}

/** Whether any of the roles may do it; without a token everything is tried. */
function mayTry({ roles, only }: Caller, operationId: string): boolean {
  if (only !== undefined) return operationId === only;
  if (roles === undefined) return true;
  if (operationId === ENDS_ITSELF) return false;
  if (roles.length === ROLES.length) return true;
  return Object.entries(MATRIX).some(
    ([key, { may }]) =>
      key.split(' ')[0] === operationId && may !== 'anybody' && may.some((role) => roles.includes(role)),
  );
}

async function fuzz(
  service: FuzzedService,
  {
    name,
    caller,
    python,
    seconds,
    seed,
  }: { name: string; caller: Caller; python: string; seconds: number; seed: number },
): Promise<Row> {
  const known = await service.restore();
  const document = toTry(service.document, {
    isAsked: (operationId) => mayTry(caller, operationId),
    narrow: !caller.phases.includes('coverage'),
  });
  await service.logged();
  const before = await service.answers();
  const token = caller.roles && (await service.tokenFor(caller.roles));
  const { phases } = caller;
  const config = configOf(known);
  const report = await runSchemathesis({
    python,
    url: service.url,
    document,
    config,
    token,
    phases,
    bound: caller.examples === undefined ? { seconds } : { examples: caller.examples },
    seed,
  });
  const answers: Record<string, number> = {};
  const failed: string[] = [];
  for (const [answer, count] of await service.answers()) {
    const more = count - (before.get(answer) ?? 0);
    const kind = answer.charAt(0);
    if (more > 0) answers[kind] = (answers[kind] ?? 0) + more;
    if (more > 0 && kind === '5') failed.push(`${more} x ${answer}`);
  }
  return { ...report, caller: name, answers, failed, logged: await service.logged() };
}

/** The fuzzer sees what it was answered, the service what it answered: both must find nothing. */
const isClean = ({ findings, failed, requests }: Row): boolean =>
  findings === 0 && failed.length === 0 && requests > 0;

function tableOf(rows: readonly Row[]): string {
  const head = ['caller', 'operations', 'requests', '2xx', '4xx', '5xx', 'findings'];
  const cells = rows.map(({ caller, operations, requests, answers, findings }) =>
    [caller, operations, requests, answers[2] ?? 0, answers[4] ?? 0, answers[5] ?? 0, findings].map(String),
  );
  const lines = [head, ...cells].map(([first = '', ...rest]) =>
    [first.padEnd(16), ...rest.map((cell) => cell.padStart(11))].join(''),
  );
  return ['', ...lines].join('\n');
}

const clean = await main();
say(clean ? '\nNo 5xx, and every answer is as the document says.' : '\nThere are findings: see above.');
process.exit(clean ? 0 : 1);
