import { describe, expect, test } from 'vitest';
import { Cli } from '../../../src/cli/cli.ts';
import { COMMAND_NAMES } from '../../../src/cli/command-files.ts';
import { type Running, runUp, type Start } from '../../../src/cli/commands/up.ts';
import type { CliIo } from '../../../src/cli/io.ts';

function given(env: NodeJS.ProcessEnv = {}) {
  const interrupt = new AbortController();
  const printed = { out: '', err: '' };
  const io = {
    env,
    columns: 80,
    program: 'portcullis',
    out(text: string) {
      printed.out += text;
    },
    err(text: string) {
      printed.err += text;
    },
    interrupted: () => interrupt.signal,
  } as Partial<CliIo> as CliIo;
  return { cli: new Cli(io, COMMAND_NAMES), interrupt, printed };
}

const running = (more: Partial<Running> = {}): Running => ({
  url: 'http://127.0.0.1:8080',
  publicUrl: 'http://127.0.0.1:8080',
  dayMs: 86_400_000,
  database: { address: '127.0.0.1:5432/postgres', folder: '/srv/.portcullis/postgres', version: '18.4' },
  stop: async () => {},
  ...more,
});

describe('portcullis up', () => {
  test('says where it is, what is embedded and how approvals are answered, and stops when told', async () => {
    const { cli, interrupt, printed } = given({ PORTCULLIS_DAY: '1.3s' });
    let stopped = false;
    const start: Start = async () => {
      setTimeout(() => interrupt.abort(), 20);
      return running({
        dayMs: 1_300,
        localTokenFile: '.portcullis/token',
        signInUrl: 'http://127.0.0.1:8080/sign-in/abc',
        switchedOff: ['everything', 'tool/desk/refund'],
        async stop() {
          stopped = true;
        },
      });
    };
    await runUp(cli, {}, start);
    expect(stopped).toBe(true);
    expect(printed.out).toContain('Portcullis answers at http://127.0.0.1:8080');
    expect(printed.out.replace(/\s+/g, ' ')).toContain(
      'no Slack tokens: approvals are answered at http://127.0.0.1:8080/actions and by portcullis approvals approve',
    );
    expect(printed.out).toContain('PORTCULLIS_DAY is 1 s');
    expect(printed.out).toContain('.portcullis/token');
    expect(printed.out).toContain('once, within 15 minutes:\n  http://127.0.0.1:8080/sign-in/abc');
    expect(printed.out).toContain('SWITCHED OFF: everything, refund of desk');
    expect(printed.out.replace(/\s+/g, ' ')).toContain(
      'embedded (Postgres 18.4), at 127.0.0.1:5432/postgres, in /srv/.portcullis/postgres',
    );
  });

  test('gives the roles and the port that were asked for', async () => {
    const { cli, interrupt } = given({
      DATABASE_URL: 'postgres://p@localhost/p',
      TEMPORAL_ADDRESS: 't:7233',
    });
    const seen: unknown[] = [];
    await runUp(cli, { roles: 'worker, api', port: '0' }, async (config) => {
      seen.push(config.port, config.roles);
      interrupt.abort();
      return running();
    });
    expect(seen).toEqual([0, ['api', 'worker']]);
  });

  test('refuses roles and variables that are none', async () => {
    const start: Start = async () => running();
    for (const [roles, unknown] of [
      ['api,king', 'king'],
      ['', ''],
      ['Api', 'Api'],
      ['worker;slack', 'worker;slack'],
    ] as const)
      await expect(runUp(given().cli, { roles }, start)).rejects.toMatchObject({
        exit: 'usage',
        message: expect.stringContaining(`no role "${unknown}"`),
        hint: 'Roles are api, worker, slack, background',
      });
    const broken = given({ PORTCULLIS_PORT: 'eighty' });
    await expect(runUp(broken.cli, {}, start)).rejects.toMatchObject({ code: 'config_invalid' });
  });

  test('survives the empty rejection of a dying Slack connection', async () => {
    const { cli, interrupt, printed } = given();
    await runUp(cli, {}, async () => {
      process.emit('unhandledRejection', undefined, Promise.resolve());
      setTimeout(() => interrupt.abort(), 10);
      return running();
    });
    expect(printed.err).toContain('it connects again by itself');
  });
});
