import type { ColumnType } from 'kysely';

/** JSON columns are written as text, so that arrays never become SQL arrays. */
export type Json<T> = ColumnType<T, string, string>;
export type JsonOrNull<T> = ColumnType<T | null, string | null, string | null>;
export type Timestamp = Date;
