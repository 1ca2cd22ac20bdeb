import { describe, expect, test } from 'vitest';
import { renderSummary } from '../../../../src/domain/decision/summary.ts';
import type { JsonSchema } from '../../../../src/domain/schema/json-schema.ts';
import { compileSchema } from '../../../../src/domain/schema/schema.ts';

/** What every object has without anybody having written it down. */
const INHERITED = ['constructor', 'toString', 'valueOf', 'hasOwnProperty'];
const DRAFTS = ['https://json-schema.org/draft/2020-12/schema', 'http://json-schema.org/draft-07/schema#'];

describe.each(INHERITED)('"%s"', (name) => {
  test('is no format', () => {
    expect(compileSchema({ type: 'string', format: name }).ok).toBe(false);
  });

  test.each(DRAFTS)('is no keyword of %s', ($schema) => {
    expect(compileSchema({ $schema, [name]: 1 } as JsonSchema).ok).toBe(false);
  });

  test('is no type', () => {
    expect(compileSchema({ type: name } as JsonSchema).ok).toBe(false);
  });

  test('is no argument that a summary could show', () => {
    const tool = (summary: string) => ({ name: 'pay', redactions: [], tool: { summary } }) as never;
    expect(renderSummary(tool(`Pay {${name}}`), {})).toBe('Pay (none)');
    expect(renderSummary(tool(`Pay {to.${name}}`), { to: {} })).toBe('Pay (none)');
    expect(renderSummary(tool(`Pay {to.${name}}`), { to: null })).toBe('Pay (none)');
    expect(renderSummary(tool(`Pay {to.${name}}`), { to: { [name]: 'Mia' } })).toBe('Pay Mia');
  });

  test('is required as a member of one’s own', () => {
    const compiled = compileSchema({ type: 'object', required: [name] });
    expect(compiled.ok && compiled.misfit({})).toBeTruthy();
    expect(compiled.ok && compiled.misfit({ [name]: 1 })).toBeUndefined();
  });
});
