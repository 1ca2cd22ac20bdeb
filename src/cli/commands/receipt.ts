import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { ReceiptKey } from '../../approvals/receipts/verify.ts';
import { actionPath } from '../answer-actions.ts';
import { type Cli, type RegisterCommands, withExample } from '../cli.ts';
import { CliError } from '../failure.ts';
import { isIdBeginning, shortId, wholeId } from '../ids.ts';
import { verifiedText } from '../text/receipt-text.ts';
import { paragraph } from '../text/render.ts';
import type { WireReceipts } from '../wire.ts';

const ID = '0193a7c4-5e2f';
/** Up to the third dash: the millisecond and as much of chance. */
const SURE = '0193a7c4-5e2f-7abc'.length;
/** Where verify looks for the public keys when nothing else is said. */
const KEYS = 'portcullis-keys.json';

/** `portcullis receipt`. */
export const registerReceipt: RegisterCommands = (program, cli) => {
  const receipt = program.command('receipt').summary('signed proof of who decided what, on what they saw');
  receipt.description(
    'Each decision has a receipt: signed, over the action, its arguments’ digest, the person, and the text that was shown.',
  );
  const get = receipt
    .command('get')
    .summary('the receipts of an action')
    .description('Gets the receipts of an action: a file that stands alone.')
    .argument('<action>', 'the action')
    .option('-o, --out <file>', 'write it there')
    .action(async (given: string, { out }: { out?: string }) => {
      const id = await wholeId(cli, 'action', given);
      const found = await cli.api.get<WireReceipts>(`${actionPath(id)}/receipt`);
      if (found.receipts.length === 0)
        throw new CliError('refused', `Action ${shortId(id)} has no receipts: no person decided on it`);
      await give(cli, found, out);
    });
  withExample(get, `portcullis receipt get ${ID} -o receipt.json`);
  const key = receipt
    .command('key')
    .summary('the public key that verifies them')
    .description(
      'Gets the public keys of this installation (JWKS), every one that ever signed. Keep them where the service cannot change them; get them anew after keys rotate.',
    )
    .option('-o, --out <file>', 'write them there')
    .action(async ({ out }: { out?: string }) =>
      give(cli, await cli.api.get<object>('/.well-known/receipt-keys.json'), out),
    );
  withExample(key, `portcullis receipt key -o ${KEYS}`);
  const verify = receipt
    .command('verify')
    .summary('check receipts, without the service')
    .description(
      'Checks a file of receipts by the public key alone: who decided, what they saw, and that nothing was changed. It needs no service and no network. Exit code 5 when it is not valid, saying what is wrong.',
    )
    .argument('<file>', 'as receipt get writes it')
    .option('--key <file>', 'the public keys, as receipt key writes them', KEYS)
    .option('--action <id>', 'only valid for this action')
    .action((file: string, options: VerifyOptions) => runVerify(cli, file, options));
  withExample(
    verify,
    'portcullis receipt verify receipt.json',
    `portcullis receipt verify receipt.json --action ${ID}-7abc`,
  );
};

async function give(cli: Cli, document: object, out: string | undefined): Promise<void> {
  const text = JSON.stringify(document, null, 2);
  if (out === undefined) return cli.print(document, () => text);
  await writeFile(resolve(cli.io.cwd, out), `${text}\n`);
  cli.print({ written: out }, () => paragraph(`Written to ${out}.`));
}

interface VerifyOptions {
  key: string;
  action?: string;
}

async function runVerify(cli: Cli, file: string, { key, action }: VerifyOptions): Promise<void> {
  const { InvalidReceipt, verifyReceipts } = await import('../../approvals/receipts/verify.ts');
  const keys = await keysOf(resolve(cli.io.cwd, key));
  const text = await readFile(resolve(cli.io.cwd, file), 'utf8');
  try {
    const receipts = await verifyReceipts(await documentOf(text), keys, action && beginningOf(action));
    cli.print({ valid: true, receipts }, () => verifiedText(receipts, cli.io.columns));
  } catch (error) {
    if (!(error instanceof InvalidReceipt)) throw error;
    cli.exit = 'unverified';
    cli.print({ valid: false, fault: error.message }, () =>
      paragraph(`NOT VALID: ${error.message}.`, cli.io.columns),
    );
  }
}

/** So much of an id that no other action can be meant by chance. @throws CliError `usage` */
function beginningOf(action: string): string {
  if (isIdBeginning(action) && action.length >= SURE) return action.toLowerCase();
  throw new CliError('usage', `--action: "${action}" is not an id`, {
    hint: 'Write the id, or as much of it as goes to the third dash',
  });
}

/** What every reader of the file reads: nothing, where readers would differ. */
async function documentOf(text: string): Promise<unknown> {
  const { parseExactJson } = await import('../../domain/exact-json.ts');
  const parsed = parseExactJson(text);
  return parsed.ok ? parsed.value : undefined;
}

/** @throws CliError `usage` */
async function keysOf(file: string): Promise<ReceiptKey[]> {
  const { receiptKeys } = await import('../../approvals/receipts/verify.ts');
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  const keys = text === undefined ? [] : receiptKeys(await documentOf(text));
  if (keys.length > 0) return keys;
  const problem =
    text === undefined ? `There are no public keys at ${file}` : `${file} holds no Ed25519 key (JWKS)`;
  throw new CliError('usage', problem, {
    hint: `Get them from the installation, once: portcullis receipt key -o ${KEYS}`,
  });
}
