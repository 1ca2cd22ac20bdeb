import { z } from 'zod';
import { IssueReader } from '../manifest/issues.ts';
import { locateProblems, parseText } from '../manifest/source.ts';
import type { Problem } from '../problem.ts';
import { asSchema } from '../schema/json-schema.ts';
import { type WrittenReview, writtenReviewSchema } from './cycle.ts';

const JSON_SCHEMA = asSchema(z.toJSONSchema(writtenReviewSchema, { io: 'input' })) ?? {};

/** Reads what people wrote of a cycle, from YAML or JSON: its shape, with file and line of what is wrong. Never throws. */
export function readWrittenReview(
  file: string,
  text: string,
): { ok: true; value: WrittenReview } | { ok: false; problems: Problem[] } {
  const parsed = parseText(file, text);
  if (!parsed.ok) return parsed;
  const read = writtenReviewSchema.safeParse(parsed.value);
  if (read.success) return { ok: true, value: read.data };
  const reader = new IssueReader(parsed.value, JSON_SCHEMA);
  const found = read.error.issues.flatMap((issue) => reader.read(issue));
  return { ok: false, problems: locateProblems(parsed.source, found) };
}
