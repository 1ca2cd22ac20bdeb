import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { SERVICE_ROLES } from '../../src/config/roles.ts';
import { readConfig } from '../../src/config.ts';

const root = resolve(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(resolve(root, file), 'utf8');

const composeSchema = z.object({
  services: z.record(
    z.string(),
    z.object({
      image: z.string(),
      healthcheck: z
        .union([z.object({ test: z.array(z.string()).min(2) }), z.object({ disable: z.literal(true) })])
        .optional(),
      depends_on: z.record(z.string(), z.object({ condition: z.string() })).optional(),
      environment: z.record(z.string(), z.string()).optional(),
      volumes: z.array(z.string()).optional(),
      command: z.array(z.string()).optional(),
      profiles: z.array(z.string()).optional(),
    }),
  ),
  volumes: z.record(z.string(), z.unknown()),
});

const text = read('docker-compose.yml');
const { services, volumes } = composeSchema.parse(parse(text, { merge: true }));

/** A service without a health check says here why it cannot have one. */
const WITHOUT_HEALTHCHECK: Record<string, string> = { migrate: 'it ends' };

/** These images have settings of their own, which their makers explain. */
const THIRD_PARTY = ['postgres', 'temporal', 'temporal-ui'];

test('docker-compose.yml has the roles, Temporal with its pages, and Postgres', () => {
  expect(Object.keys(services).sort()).toEqual([
    'api',
    'background',
    'migrate',
    'postgres',
    'slack',
    'temporal',
    'temporal-ui',
    'worker',
  ]);
  for (const role of SERVICE_ROLES) expect(services[role]?.command).toEqual(['up', '--roles', role]);
  expect(services.migrate?.command).toEqual(['migrate']);
  const images = new Set([...SERVICE_ROLES, 'migrate'].map((role) => services[role]?.image));
  expect(images.size).toBe(1);
});

/** As compose fills it in: what is not set there is empty or its default. */
const filledIn = (environment: Record<string, string> = {}, set: Record<string, string> = {}) =>
  Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [
      name,
      value.replace(
        /\$\{(\w+):-([^}]*)\}/g,
        (_, variable: string, without: string) => set[variable] ?? without,
      ),
    ]),
  );

test('each role is given what it needs; the one that needs tokens is started where they are', () => {
  const tokens = { SLACK_BOT_TOKEN: 'xoxb-1', SLACK_APP_TOKEN: 'xapp-1' };
  for (const role of SERVICE_ROLES) {
    const { environment, profiles } = services[role] ?? {};
    expect(readConfig(filledIn(environment, tokens), [role])).toMatchObject({ roles: [role], port: 8080 });
    const isStartedAlways = profiles === undefined;
    const without = () => readConfig(filledIn(environment), [role]);
    if (isStartedAlways) expect(without).not.toThrow();
    else expect(without).toThrow(/SLACK_BOT_TOKEN: is missing/);
  }
  expect(services.slack?.profiles).toEqual(['slack']);
  expect(
    Object.keys(services.background?.environment ?? {}).filter((name) => /SLACK|SECRET|TOKEN/.test(name)),
  ).toEqual([]);
});

const isChecked = (service: (typeof services)[string] | undefined): boolean =>
  service?.healthcheck !== undefined && 'test' in service.healthcheck;

test('a role starts on a database that was brought to its version', () => {
  for (const role of ['api', 'worker'])
    expect(services[role]?.depends_on?.migrate).toEqual({ condition: 'service_completed_successfully' });
  // After the API, which waits for it.
  expect(services.slack?.depends_on?.api).toBeDefined();
});

test.each(Object.entries(services))('%s has a health check and waits for what exists', (name, service) => {
  if (!isChecked(service)) expect(WITHOUT_HEALTHCHECK[name]).toBeTypeOf('string');
  for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
    expect(services).toHaveProperty(other);
    const ends = Object.hasOwn(WITHOUT_HEALTHCHECK, other);
    expect(condition).toBe(ends ? 'service_completed_successfully' : 'service_healthy');
    expect(isChecked(services[other])).toBe(!ends);
  }
});

test.each(Object.entries(services))('%s is pinned to a version and names its volumes', (name, service) => {
  expect(service.image).toMatch(THIRD_PARTY.includes(name) ? /:\d+\.\d+/ : /^portcullis:/);
  for (const volume of service.volumes ?? []) expect(volumes).toHaveProperty(volume.split(':')[0] ?? '');
});

test('.env.example explains every name that docker-compose.yml passes or reads', () => {
  const explained = new Set(
    [...read('.env.example').matchAll(/^#?\s?([A-Z][A-Z0-9_]*)=/gm)].map(([, name]) => name),
  );
  const interpolated = [...text.matchAll(/\$\{([A-Z0-9_]+)/g)].map(([, name]) => name);
  const passed = Object.entries(services)
    .filter(([name]) => !THIRD_PARTY.includes(name))
    .flatMap(([, service]) => Object.keys(service.environment ?? {}));
  const missing = [...new Set([...interpolated, ...passed])].filter((name) => !explained.has(name));
  expect(missing).toEqual([]);
});

test('the image runs the command as a person without rights', () => {
  const dockerfile = read('Dockerfile');
  expect(dockerfile).toContain('USER node');
  expect(dockerfile).toContain('ENTRYPOINT ["node", "--max-semi-space-size=64", "/app/bin/portcullis.js"]');
  for (const [, tag] of dockerfile.matchAll(/^FROM \S+:(\S+)/gm)) expect(tag).toMatch(/^\d+\.\d+\.\d+/);
});
