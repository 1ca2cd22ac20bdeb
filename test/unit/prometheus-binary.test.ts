import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { prometheusBinary } from '../support/prometheus/binary.ts';

test('where there is no Prometheus and no Go the tests fail and say how to mend it: nothing is skipped', async () => {
  const env = { PATH: '', PORTCULLIS_CACHE: join(tmpdir(), 'portcullis-no-cache') };
  await expect(prometheusBinary(env)).rejects.toThrow(
    /there is none: Go is not installed.*\n.*\n.*install Go/,
  );
});
