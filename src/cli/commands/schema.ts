import { Argument } from 'commander';
import type { ManifestKind } from '../../domain/manifest/json-schemas.ts';
import { type RegisterCommands, withExample } from '../cli.ts';

/** `portcullis schema`: what editors need to complete and check manifests. */
export const registerSchema: RegisterCommands = (program, cli) => {
  const schema = program
    .command('schema')
    .summary('print the JSON Schema of a manifest')
    .description('Prints the JSON Schema of a manifest, for editors. Needs no service.')
    .addArgument(new Argument('<kind>', 'which manifest').choices(['agent', 'release', 'rates', 'case']))
    .action(async (kind: ManifestKind) => {
      const { manifestJsonSchema } = await import('../../domain/manifest/json-schemas.ts');
      cli.io.out(`${JSON.stringify(manifestJsonSchema(kind), null, 2)}\n`);
    });
  withExample(schema, 'portcullis schema agent > agent.schema.json');
};
