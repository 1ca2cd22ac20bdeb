import { getText } from '../net/get-text.ts';
import { SourceFailure } from '../net/source-failure.ts';
import type { SourceCredentials } from './credentials.ts';

/** Gets JSON, with a bearer token where one is named. @throws SourceFailure */
export async function getJson(
  url: string,
  what: string,
  credential: string | undefined,
  credentials: SourceCredentials,
): Promise<unknown> {
  const headers = {
    accept: 'application/json',
    ...(credential === undefined
      ? {}
      : { authorization: `Bearer ${credentials(credential, new URL(url).origin)}` }),
  };
  const { status, text } = await getText(url, { what, headers, anyProtocol: true });
  const json = parsed(text);
  if (status !== 200) throw new SourceFailure(`${what} answers with status ${status}${reasonIn(json)}`);
  if (json === undefined) throw new SourceFailure(`${what} answers with what is no JSON`);
  return json;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Prometheus says `error`, most others `message`. */
function reasonIn(json: unknown): string {
  const { error, message } = (json ?? {}) as { error?: unknown; message?: unknown };
  const reason = [error, message].find((one) => typeof one === 'string');
  return reason === undefined ? '' : `: ${String(reason).slice(0, 200)}`;
}
