import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporalAccess } from '../../src/temporal/connection.ts';
import { tlsFile } from '../support/tls-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'portcullis-tls-'));
const noPem = join(folder, 'no.pem');
writeFileSync(noPem, 'not a certificate');

const refusal = (tls: NonNullable<Parameters<typeof temporalAccess>[1]['tls']>): string => {
  try {
    temporalAccess('a:1', { tls });
  } catch (error) {
    expect(error).toMatchObject({ code: 'config_invalid' });
    return String(error);
  }
  return 'none';
};

test('a file that is not there, holds something else, or belongs to another certificate is named with its variable', () => {
  const missing = join(folder, 'missing.pem');
  expect(refusal({ serverCaPath: missing })).toContain(
    `TEMPORAL_TLS_SERVER_CA_CERT_PATH: ${missing} cannot be read (ENOENT)`,
  );
  const all = refusal({ serverCaPath: noPem, clientCertPath: tlsFile('client-key'), clientKeyPath: folder });
  expect(all).toContain(`TEMPORAL_TLS_SERVER_CA_CERT_PATH: ${noPem} does not hold`);
  expect(all).toContain(`TEMPORAL_TLS_CLIENT_CERT_PATH: ${tlsFile('client-key')} does not hold`);
  expect(all).toContain(`TEMPORAL_TLS_CLIENT_KEY_PATH: ${folder} cannot be read (EISDIR)`);
  expect(all).not.toContain('PRIVATE KEY');
  expect(refusal({ clientCertPath: tlsFile('client'), clientKeyPath: tlsFile('server-key') })).toContain(
    'is not the key of the certificate in',
  );
});

test('clear text stays clear text, and TLS without files takes the system’s authorities', () => {
  expect(temporalAccess('a:1', {})).toEqual({ address: 'a:1' });
  expect(temporalAccess('a:1', { tls: {}, apiKey: 'k' })).toEqual({ address: 'a:1', tls: {}, apiKey: 'k' });
});
