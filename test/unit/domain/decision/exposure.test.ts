import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { armOf, BUCKET_COUNT, bucketOf } from '../../../../src/domain/decision/exposure.ts';

describe('bucketOf()', () => {
  test('is the first 8 bytes of SHA-256 over salt, newline, subject, modulo 10000', () => {
    const hex = createHash('sha256').update('salt\nconversation-1').digest('hex').slice(0, 16);
    expect(bucketOf('salt', 'conversation-1')).toBe(Number(BigInt(`0x${hex}`) % 10_000n));
  });

  test('spreads subjects evenly', () => {
    const inTenth = Array.from({ length: 20_000 }, (_, at) => bucketOf('salt', `s${at}`)).filter(
      (bucket) => bucket < 1_000,
    );
    expect(inTenth.length).toBeGreaterThan(1_850);
    expect(inTenth.length).toBeLessThan(2_150);
  });

  test('another salt deals anew', () => {
    const moved = Array.from({ length: 100 }, (_, at) => `s${at}`).filter(
      (s) => bucketOf('a', s) !== bucketOf('b', s),
    );
    expect(moved.length).toBeGreaterThan(95);
  });
});

describe('armOf()', () => {
  test('exposes nobody at 0 and everyone at 10000', () => {
    for (let bucket = 0; bucket < BUCKET_COUNT; bucket++) {
      expect(armOf(bucket, 0)).toBe('control');
      expect(armOf(bucket, BUCKET_COUNT)).toBe('candidate');
    }
  });
});
