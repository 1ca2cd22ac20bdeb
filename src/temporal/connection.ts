import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { TemporalConfig } from '../config/temporal.ts';
import { AppError } from '../errors.ts';

/** How a client, a worker or doctor connects to Temporal. */
export interface TemporalAccess {
  address: string;
  tls?: {
    serverNameOverride?: string;
    serverRootCACertificate?: Buffer;
    clientCertPair?: { crt: Buffer; key: Buffer };
  };
  apiKey?: string;
}

/**
 * What the configuration says, with its files read.
 * @throws AppError `config_invalid` naming each file that cannot be used, by its variable and its path
 */
export function temporalAccess(
  address: string,
  { tls, apiKey }: Pick<TemporalConfig, 'tls' | 'apiKey'>,
): TemporalAccess {
  if (!tls) return { address };
  const problems: string[] = [];
  const read = (variable: string, path: string | undefined, check: (pem: Buffer) => void) => {
    if (path === undefined) return undefined;
    try {
      const pem = readFileSync(path);
      check(pem);
      return pem;
    } catch (error) {
      problems.push(`${variable}: ${path} ${whyNot(error)}`);
      return undefined;
    }
  };
  const certificate = (pem: Buffer) => void new X509Certificate(pem);
  const ca = read('TEMPORAL_TLS_SERVER_CA_CERT_PATH', tls.serverCaPath, certificate);
  const crt = read('TEMPORAL_TLS_CLIENT_CERT_PATH', tls.clientCertPath, certificate);
  const key = read('TEMPORAL_TLS_CLIENT_KEY_PATH', tls.clientKeyPath, (pem) => void createPrivateKey(pem));
  if (crt && key && !new X509Certificate(crt).checkPrivateKey(createPrivateKey(key)))
    problems.push(
      `TEMPORAL_TLS_CLIENT_KEY_PATH: ${tls.clientKeyPath} is not the key of the certificate in ${tls.clientCertPath}`,
    );
  if (problems.length > 0)
    throw new AppError('config_invalid', `Cannot start:\n- ${problems.join('\n- ')}`, { problems });
  return {
    address,
    tls: {
      ...(tls.serverName ? { serverNameOverride: tls.serverName } : {}),
      ...(ca ? { serverRootCACertificate: ca } : {}),
      ...(crt && key ? { clientCertPair: { crt, key } } : {}),
    },
    ...(apiKey ? { apiKey } : {}),
  };
}

function whyNot(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code?.startsWith('ERR_')) return 'does not hold what it should, in PEM';
  return `cannot be read (${code ?? String(error)})`;
}
