import { ERRORS } from '../errors.ts';

/** `docs/errors.md`, from the one catalog. */
export function errorsPage(): string {
  const rows = Object.entries(ERRORS).map(
    ([code, { http, retry, hint }]) => `| \`${code}\` | ${http} | ${retry ? 'yes' : 'no'} | ${hint} |`,
  );
  return `# Errors

The HTTP API answers errors as RFC 9457 problem documents with a stable \`code\`; the CLI derives its exit codes from the
same catalog (\`src/errors.ts\`), and this page is made from it by \`npx tsx src/cli/docs.ts\`.

| code | HTTP | worth repeating unchanged | how to mend it |
|---|---|---|---|
${rows.join('\n')}
`;
}
