import { type Actor, requireRole, type Services } from '../context.ts';
import { durationMs } from '../domain/duration.ts';
