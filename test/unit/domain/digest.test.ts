import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonical, canonicalList, saltedDigest, saltedTextDigest } from '../../../src/domain/digest.ts';

test('what is put together of parts is what the whole would be', () => {
  const salt = Buffer.from('salt');
  fc.assert(
    fc.property(fc.array(fc.jsonValue(), { maxLength: 4 }), (values) => {
      expect(canonicalList(values.map((value) => canonical(value)))).toBe(canonical(values));
      expect(saltedTextDigest(salt, canonical(values))).toBe(saltedDigest(salt, values));
    }),
  );
});
