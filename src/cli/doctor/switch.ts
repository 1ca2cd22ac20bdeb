import { ApiClient } from '../client.ts';
import type { Connection } from '../connection.ts';
import { CliError } from '../failure.ts';
import { type Check, fail, ok, warn } from './check.ts';

const NAME = 'switch';

/** Whether `disable` finds the switch's own process from here; without it the API is asked, and then the database. */
export async function checkSwitch(
  { switchUrl, ...connection }: Connection,
  patienceMs: number,
): Promise<Check> {
  const mend = 'Set PORTCULLIS_SWITCH_URL to what portcullis up printed; meanwhile disable goes by the API';
  if (switchUrl === undefined) return warn(NAME, 'where its own process listens is not known here', mend);
  const api = new ApiClient({ ...connection, url: switchUrl }, patienceMs);
  try {
    const request = { anonymous: true };
    const { status, body } = await api.request<{ service?: string }>('GET', '/readyz', request);
    if (body.service !== 'portcullis switch')
      return warn(NAME, `what answers at ${switchUrl} is not the switch`, mend);
    return status === 200
      ? ok(NAME, `a process of its own answers at ${switchUrl}`)
      : fail(NAME, `its process at ${switchUrl} cannot reach the database`, 'Check the database');
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return warn(NAME, `its own process does not answer at ${switchUrl}`, mend);
  }
}
