import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { completeAction } from '../../../src/actions/complete.ts';
import { ROLES } from '../../../src/actor.ts';
import { shortId } from '../../../src/cli/text/ids.ts';
import { agentActor, givenToken } from '../../support/fixtures.ts';
import { createStore } from '../../support/services.ts';
import { forgetOwed } from '../../support/start.ts';
import { type CliResult, runInTest } from '../../unit/cli/cli-io.ts';
import { givenAutonomy } from '../approvals/given-autonomy.ts';
import { agentYaml, caseYaml, release } from './docs-manifests.ts';
import { type CliHarness, startCliHarness } from './harness.ts';

const AGENTS = ['my-agent', 'airline-desk', 'airline'] as const;
const refundOf = (amount: number): string[] => ['refund', '--args', JSON.stringify({ amount })];
const REFUND = refundOf(60);
/** Shortly before the dates that the docs name. */
const NOW = new Date('2026-12-20T12:00:00Z');

/** Agents, releases and people as the docs have them, and what their commands are about. */
export class DocsWorld {
  readonly #cli: CliHarness;
  readonly #token: string;
  /** The action whose receipts lie in receipt.json. */
  lastReceipt = '';
  #keys = 0;

  private constructor(cli: CliHarness, token: string) {
    this.#cli = cli;
    this.#token = token;
  }

  static async start(): Promise<DocsWorld> {
    const cli = await startCliHarness();
    cli.services.clock.moveTo(NOW);
    const { token } = await givenToken(cli.services, ROLES, { person: 'ana', attributes: { tier: 'gold' } });
    const world = new DocsWorld(cli, token);
    for (const agent of AGENTS.toReversed()) {
      world.#writeManifests(agent);
      await world.must('apply', 'agent.yaml', 'release-1.yaml', 'release-2.yaml', '--yes');
      await world.must('adopt', agent, '1', '--reason', 'first');
    }
    return world;
  }

  get cwd(): string {
    return this.#cli.cwd;
  }

  get services(): CliHarness['services'] {
    return this.#cli.services;
  }

  #customers = 0;
  sequence = (): Promise<void> => this.#cli.sequence();
  close = (): Promise<void> => this.#cli.close();

  #writeManifests(agent: string): void {
    this.write('agent.yaml', agentYaml(agent));
    this.write('release.yaml', release(agent, '4', 'none'));
    for (const version of ['1', '2', '3'])
      this.write(`release-${version}.yaml`, release(agent, version, version === '1' ? 'desk' : 'none'));
  }

  write(name: string, text: string, folder = this.cwd): void {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }

  folder(files: Record<string, string> = {}): string {
    const folder = mkdtempSync(join(tmpdir(), 'portcullis-docs-'));
    for (const [name, text] of Object.entries(files)) this.write(name, text, folder);
    return folder;
  }

  /** Every question is answered with yes; what follows something is stopped after a while. */
  run(argv: readonly string[], env: Record<string, string> = {}, cwd = this.cwd): Promise<CliResult> {
    const follows = argv[0] === 'events' || argv.includes('-f') || argv.includes('--watch');
    const options = {
      cwd,
      answers: Array<boolean>(9).fill(true),
      edited: (text: string) => text.replace('60', '20'),
      interrupted: () => (follows ? AbortSignal.timeout(1_500) : new AbortController().signal),
      env: { PORTCULLIS_TOKEN: this.#token, ...env },
    };
    return this.#cli.runWith(options, ...argv);
  }

  /** Runs what a command takes for granted; its JSON. */
  async must(...argv: string[]) {
    const { code, out, err } = await this.run([...argv, '--output', 'json']);
    if (code !== 0 && code !== 6) throw new Error(`${argv.join(' ')}: ${out}${err}`);
    return JSON.parse(out.slice(out.indexOf('{')));
  }

  /** About somebody else each time: what people denied once is not asked again about the same. */
  #anotherRefund = (): string[] => [...REFUND, '--subject', `customer ${this.#customers++}`];

  async #idOf(...argv: string[]): Promise<string> {
    // No two are asked in one millisecond, or their short ids would be alike.
    this.#cli.services.clock.advance(1);
    return shortId(String((await this.must(...argv)).id));
  }

  async askedAbout(subject: string): Promise<void> {
    await this.#idOf('action', 'ask', 'my-agent', ...REFUND, '--subject', subject);
  }

  /** A hold of this number is in force. */
  async held(id: number): Promise<void> {
    const hold = { id, reason: 'docs', held_by: 'ana', held_at: this.#cli.services.clock.now() };
    const again = { released_at: null, released_by: null };
    await this.#cli.services.db.sql
      .insertInto('retention_hold')
      .values(hold)
      .onConflict((conflict) => conflict.column('id').doUpdateSet(again))
      .execute();
  }

  asked = (): Promise<string> => this.#idOf('action', 'ask', 'my-agent', ...this.#anotherRefund());
  deputy = (): Promise<string> =>
    this.#idOf('deputy', 'add', 'my-agent', 'ben', '--until', '1d', '--reason', 'x');
  token = (): Promise<string> => this.#idOf('token', 'create', '--role', 'auditor');

  async approved(): Promise<string> {
    const id = await this.asked();
    await this.must('approvals', 'approve', id, '--yes');
    return id;
  }

  /** Asked and approved by others than who runs the commands of the docs. */
  async brokenGlass(): Promise<string> {
    const { token } = await givenToken(this.#cli.services, ROLES, { person: 'ben' });
    const id = await this.#idOf(
      'action',
      'ask',
      'my-agent',
      ...this.#anotherRefund(),
      '--attribute',
      'tier=gold',
    );
    const alone = ['--break-glass', '--reason', 'fire', '--yes'];
    await this.run(['approvals', 'approve', id, ...alone], { PORTCULLIS_TOKEN: token });
    return id;
  }

  async executed(): Promise<string> {
    this.#keys += 1;
    const ask = [
      'action',
      'ask',
      'my-agent',
      ...this.#anotherRefund(),
      '--key',
      `docs-${this.#keys}`,
      '--begin',
    ];
    this.#cli.services.clock.advance(1);
    const { id } = await this.must(...ask);
    await this.must('approvals', 'approve', id, '--yes');
    const { executionId } = (await this.must(...ask)).execution;
    const agent = agentActor({ agent: 'my-agent' });
    await completeAction(this.#cli.services, agent, { id, executionId, ok: true });
    return shortId(String(id));
  }

  /** As small as what the docs approve for a while, and not covered by such an approval yet. */
  async small(): Promise<string> {
    const { standingApprovals } = await this.must('approvals', 'standing', 'list');
    for (const { id } of standingApprovals)
      await this.must('approvals', 'standing', 'revoke', id, '--reason', 'x');
    return this.#idOf('action', 'ask', 'my-agent', ...refundOf(30));
  }

  async standing(): Promise<string> {
    const standing = ['--standing', 'args.amount <= 50'];
    await this.must('approvals', 'approve', await this.small(), '--yes', ...standing);
    const { standingApprovals } = await this.must('approvals', 'standing', 'list');
    return shortId(standingApprovals[0].id);
  }

  async outcomes(): Promise<void> {
    const { id: action } = await this.must('action', 'show', await this.executed());
    this.write('outcomes.jsonl', `${JSON.stringify({ id: action, action, metric: 'wrong', value: 0 })}\n`);
  }

  async receiptsAbout(): Promise<string> {
    const id = await this.approved();
    const { id: whole } = await this.must('action', 'show', id);
    this.lastReceipt = whole;
    return id;
  }

  /** A case and its twin, proposed by somebody else than who applied the releases; the folder that holds their folder. */
  async cases(agent: string, state: 'proposed' | 'admitted' = 'proposed'): Promise<string> {
    const { sql } = this.#cli.services.db;
    await sql.deleteFrom('regression_case_change').where('agent', '=', agent).execute();
    await sql.deleteFrom('regression_case').where('agent', '=', agent).execute();
    const cwd = this.folder({
      'cases/cancel-unvouched.yaml': caseYaml(
        agent,
        'cancel-unvouched',
        'expect: { atLeast: ask:1 }\ntwins: [cancel-vouched]',
      ),
      'cases/cancel-vouched.yaml': caseYaml(agent, 'cancel-vouched', 'expect: { atMost: ask:1 }'),
    });
    const { token } = await givenToken(this.#cli.services, ROLES, { person: 'ben' });
    await this.run(['cases', 'import', agent, 'cases'], { PORTCULLIS_TOKEN: token }, cwd);
    if (state === 'admitted')
      await this.must('cases', 'admit', agent, 'cancel-unvouched', '--red-on', '2', '--green-on', '1');
    return cwd;
  }

  async noRollout(agent: string): Promise<void> {
    const { code, out } = await this.run(['rollout', 'status', agent, '--output', 'json']);
    if (code === 0 && JSON.parse(out).endedAt === undefined)
      await this.must('rollout', 'rollback', agent, '--reason', 'x');
    await forgetOwed(this.#cli.services, agent);
  }

  /** A rollout that just began, and whose first step is over. */
  async rollout(agent: string, ...before: string[]): Promise<void> {
    await this.noRollout(agent);
    await this.must('rollout', 'start', agent, '2', '--reason', 'x', '--none-yet', 'x');
    const [verb, ...more] = before;
    if (verb) await this.must('rollout', verb, agent, ...more, '--reason', 'x');
    this.#cli.services.clock.advance(60_000);
  }

  async nothingInForce(agent: string): Promise<void> {
    await this.noRollout(agent);
    await this.#cli.services.db.sql.deleteFrom('in_force').where('agent', '=', agent).execute();
  }

  /** Everything takes two people. */
  async enable(): Promise<void> {
    const { token } = await givenToken(this.#cli.services, ROLES, { person: 'ben' });
    await this.run(['enable', 'my-agent', '--reason', 'x']);
    await this.run(['enable', 'everything', '--reason', 'x']);
    await this.run(['enable', 'everything', '--reason', 'x'], { PORTCULLIS_TOKEN: token });
  }

  autonomy = (state: 'proposed' | 'allow'): Promise<void> =>
    givenAutonomy(this.#cli.services, state, {
      agent: 'airline',
      release: '2',
      grant: 'refund-1',
      tool: 'refund',
      segment: 'gold',
      agentVersion: '1.4.0',
    });

  otherDatabase = (): Promise<string> => createStore();

  /** The two examples of docs/manifests.md. */
  manifestsOfDocs(): string {
    const page = readFileSync(new URL('../../../docs/manifests.md', import.meta.url), 'utf8');
    const [agent = '', one = ''] = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml]) => yaml);
    return this.folder({ 'agent.yaml': agent, 'release.yaml': one });
  }

  async firstManifests(): Promise<string> {
    const cwd = this.folder();
    await runInTest(['init'], { cwd });
    return cwd;
  }
}
