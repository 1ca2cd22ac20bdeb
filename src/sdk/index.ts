export * from './client.ts';
export * from './errors.ts';
export type { Guard, GuardedCall, GuardOptions, Permit } from './guard.ts';
