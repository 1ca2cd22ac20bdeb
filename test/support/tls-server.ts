import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createSecureServer, type IncomingHttpHeaders } from 'node:http2';
import { type AddressInfo, connect, type Server } from 'node:net';
import { createServer } from 'node:tls';
import { fileURLToPath } from 'node:url';

/** Where a certificate or key of the tests lies. */
export const tlsFile = (name: 'ca' | 'server' | 'server-key' | 'client' | 'client-key'): string =>
  fileURLToPath(new URL(`./tls/${name}.pem`, import.meta.url));

/** The name in the server's certificate. */
export const TLS_SERVER_NAME = 'temporal.test';

interface Listening extends AsyncDisposable {
  address: string;
}

const options = (asksClient: boolean) => ({
  cert: readFileSync(tlsFile('server')),
  key: readFileSync(tlsFile('server-key')),
  ca: readFileSync(tlsFile('ca')),
  requestCert: asksClient,
  rejectUnauthorized: asksClient,
  ALPNProtocols: ['h2'],
});

/** Ends TLS in front of a server that speaks clear text; `asksClient`: only for those with a certificate of the tests' CA. */
export async function openTlsProxy(to: string, asksClient: boolean): Promise<Listening> {
  const [host, port] = to.split(':');
  const proxy = createServer(options(asksClient), (inner) => {
    const outer = connect(Number(port), host);
    const end = () => {
      inner.destroy();
      outer.destroy();
    };
    inner.on('error', end).on('close', end);
    outer.on('error', end).on('close', end);
    inner.pipe(outer).pipe(inner);
  });
  return listen(proxy);
}

/** Answers every call of gRPC with an empty message, over TLS, and keeps what came with it. */
export async function openGrpcServer(): Promise<Listening & { calls: IncomingHttpHeaders[] }> {
  const calls: IncomingHttpHeaders[] = [];
  const server = createSecureServer(options(false));
  server.on('stream', (stream, headers) => {
    calls.push(headers);
    stream.on('error', () => {});
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(Buffer.alloc(5));
  });
  return { calls, ...(await listen(server)) };
}

async function listen(server: Server): Promise<Listening> {
  const open = new Set<{ destroy(): void }>();
  server.on('secureConnection', (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
