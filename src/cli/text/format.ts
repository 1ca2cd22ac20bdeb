const UNITS = [
  { ms: 86_400_000, one: 'day', many: 'days' },
  { ms: 3_600_000, one: 'h', many: 'h' },
  { ms: 60_000, one: 'min', many: 'min' },
  { ms: 1_000, one: 's', many: 's' },
] as const;
const DAY_MS = 86_400_000;

/** `2026-11-21 12:00:05 CET`: local time with its zone. */
export function formatTime(at: string | Date, timeZone?: string): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return String(at);
  const parts = new Intl.DateTimeFormat('en-GB', {
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'short',
    timeZone,
  }).formatToParts(date);
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.find((one) => one.type === type)?.value ?? '';
  const day = `${part('year')}-${part('month')}-${part('day')}`;
  return `${day} ${part('hour')}:${part('minute')}:${part('second')} ${part('timeZoneName')}`;
}

/** `850 ms`, `12 s`, `3 h 20 min`, `2 days`: the two largest units. */
export function formatDuration(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const at = UNITS.findIndex((unit) => ms >= unit.ms);
  const [large, small] = [UNITS[at], UNITS[at + 1]];
  if (!large) return `${Math.round(ms)} ms`;
  const whole = Math.floor(ms / large.ms);
  const rest = small ? Math.floor((ms - whole * large.ms) / small.ms) : 0;
  const said = `${whole} ${whole === 1 ? large.one : large.many}`;
  return small && rest > 0 ? `${said} ${rest} ${rest === 1 ? small.one : small.many}` : said;
}

/** `in 20 min`, `3 h ago`. */
export function formatRelative(at: string | Date, now: Date): string {
  const ms = new Date(at).getTime() - now.getTime();
  if (Math.abs(ms) < 1_000) return 'now';
  return ms >= 0 ? `in ${formatDuration(ms)}` : `${formatDuration(-ms)} ago`;
}

/** A time and how far it is from now. */
export const formatTimeAndDistance = (at: string | Date, now: Date): string =>
  `${formatTime(at)} (${formatRelative(at, now)})`;

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** `0 B`, `81.9 kB`, `2.4 GB`. */
export function formatBytes(bytes: number): string {
  const at = bytes < 1 ? 0 : Math.min(BYTE_UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
  return `${Number((bytes / 1_000 ** at).toPrecision(3))} ${BYTE_UNITS[at]}`;
}

/** Three significant digits, and a power of ten for what is large. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '-';
  if (value !== 0 && (Math.abs(value) >= 1e6 || Math.abs(value) < 1e-3)) return value.toExponential(1);
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(3)));
}

/** Every screen says so when a day is not a day. */
export function scaledDayNote(dayMs: number | undefined): string | undefined {
  if (dayMs === undefined || dayMs === DAY_MS) return undefined;
  return `PORTCULLIS_DAY is ${formatDuration(dayMs)}: every duration in days is scaled, for demos and tests only`;
}
