import type { Value } from '@bufbuild/cel-spec/cel/expr/value_pb.js';
import {
  CelError,
  CelList,
  CelMap,
  CelSpan,
  CelTime,
  CelType,
  type CelValue,
  listOf,
  type MapKey,
  ValueMap,
} from '../../../src/domain/cel/values.ts';

/** A value of the suite as one of ours; nothing when the language here has no such value. */
export function celValueOf(given: Value): CelValue | undefined {
  const { kind } = given;
  switch (kind.case) {
    case 'int64Value':
    case 'doubleValue':
    case 'stringValue':
    case 'boolValue':
      return kind.value;
    case 'nullValue':
      return null;
    case 'listValue': {
      const items = kind.value.values.map(celValueOf);
      return items.includes(undefined) ? undefined : listOf(items as CelValue[]);
    }
    case 'mapValue': {
      const entries = kind.value.entries.map(({ key, value }) => [
        key && celValueOf(key),
        value && celValueOf(value),
      ]);
      if (entries.some(([key, value]) => key === undefined || value === undefined)) return undefined;
      const map = new Map(entries as [MapKey, CelValue][]);
      return new ValueMap(map);
    }
    case 'typeValue':
      return new CelType(kind.value);
    case 'objectValue':
      return wellKnown(kind.value.typeUrl, kind.value.value);
    default:
      return undefined;
  }
}

function wellKnown(typeUrl: string, bytes: Uint8Array): CelValue | undefined {
  const nanos = secondsAndNanos(bytes);
  if (typeUrl.endsWith('/google.protobuf.Timestamp')) return new CelTime(nanos);
  return typeUrl.endsWith('/google.protobuf.Duration') ? new CelSpan(nanos) : undefined;
}

/** Both messages have seconds as field 1 and nanoseconds as field 2. */
function secondsAndNanos(bytes: Uint8Array): bigint {
  let at = 0;
  const fields = new Map<bigint, bigint>();
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = BigInt(bytes[at++] ?? 0);
      value |= (byte & 0x7fn) << shift;
      if (byte < 0x80n) return BigInt.asIntN(64, value);
    }
  };
  while (at < bytes.length) fields.set(varint() >> 3n, varint());
  return (fields.get(1n) ?? 0n) * 1_000_000_000n + (fields.get(2n) ?? 0n);
}

/** One text for each value, for comparing: doubles stay apart from ints, and NaN is NaN. */
export function textOf(value: CelValue | CelError): string {
  if (value instanceof CelError) return 'error';
  if (typeof value === 'bigint') return `${value}`;
  if (typeof value === 'number') return `double ${Object.is(value, -0) ? '-0' : value}`;
  if (value instanceof CelTime) return `timestamp ${value.nanos}`;
  if (value instanceof CelSpan) return `duration ${value.nanos}`;
  if (value instanceof CelType) return `type ${value.name}`;
  if (value instanceof CelList)
    return `[${Array.from({ length: value.length }, (_, at) => textOf(value.at(at))).join(', ')}]`;
  if (value instanceof CelMap)
    return `{${value
      .keys()
      .map((key) => `${textOf(key)}: ${textOf(value.get(key) ?? null)}`)
      .sort()
      .join(', ')}}`;
  return JSON.stringify(value);
}
