/** Numbers as people read them. Pure; every text is English, as the whole UI is. */

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** Decimal units, as file managers and networks count: 999 bytes, 1.0 kB, 12 MB. */
export function formatBytes(bytes: number): string {
  let value = Math.max(0, bytes);
  let unit = 0;
  // 999.5 would be shown as 1000 of its unit.
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  if (unit === 0) return value === 1 ? '1 byte' : `${Math.round(value)} bytes`;
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`;
}

export function formatSpeed(bytesPerSecond: number): string {
  return `${formatBytes(bytesPerSecond)}/s`;
}

const two = (n: number) => String(n).padStart(2, '0');

/** 7 → 0:07, 3723 → 1:02:03. */
export function formatDuration(seconds: number): string {
  const total = Math.max(0, Math.round(seconds));
  const [h, m, s] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** Time left, rounded so that it does not jitter: "5 s left", "3 min left". */
export function formatEta(seconds: number): string {
  if (!Number.isFinite(seconds)) return '';
  if (seconds < 1) return 'almost done';
  if (seconds < 10) return `${Math.ceil(seconds)} s left`;
  if (seconds < 57.5) return `${Math.ceil(seconds / 5) * 5} s left`;
  const minutes = Math.max(1, Math.round(seconds / 60));
  if (minutes < 60) return `${minutes} min left`;
  const rest = minutes % 60;
  return rest === 0 ? `${minutes / 60} h left` : `${Math.floor(minutes / 60)} h ${rest} min left`;
}

/** A share of 0..1; never says 100 % before it is all there. */
export function formatPercent(share: number): string {
  const percent = Math.floor(Math.min(1, Math.max(0, share)) * 100);
  return `${percent} %`;
}

/** How long something took: 1.8 s, 42 s, 3 min 5 s. */
export function formatTook(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const total = Math.round(seconds);
  if (total < 60) return `${total} s`;
  return `${Math.floor(total / 60)} min ${total % 60} s`;
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
];
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const date = new Intl.DateTimeFormat('en', { dateStyle: 'medium' });
const moment = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short' });
const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });

/** "just now", "3 minutes ago", "yesterday"; a date when it is over a week ago. */
export function formatAgo(iso: string, nowMs: number): string {
  const then = Date.parse(iso);
  if (Number.isNaN(then)) return '';
  const age = (nowMs - then) / 1000;
  if (age < 60) return 'just now';
  if (age > 7 * 86_400) return date.format(then);
  const step = STEPS.find(([, size]) => age >= size);
  return step ? relative.format(-Math.floor(age / step[1]), step[0]) : 'just now';
}

/** When something ends: "ends in 3 days", "ends tomorrow"; a date when that is far. null: never. */
export function formatEnd(iso: string | null, nowMs: number): string {
  if (iso === null) return 'never ends';
  const then = Date.parse(iso);
  const left = (then - nowMs) / 1000;
  if (Number.isNaN(then)) return '';
  if (left <= 0) return 'has ended';
  if (left > 30 * 86_400) return `ends on ${date.format(then)}`;
  const step = STEPS.find(([, size]) => left >= size);
  return `ends ${step ? relative.format(Math.round(left / step[1]), step[0]) : 'in a moment'}`;
}

/** The reader's own time zone. "" for what is no time. */
export function formatMoment(iso: string): string {
  const then = Date.parse(iso);
  return Number.isNaN(then) ? '' : moment.format(then);
}

export function formatClock(iso: string): string {
  const then = Date.parse(iso);
  return Number.isNaN(then) ? '' : clock.format(then);
}

export function formatDay(iso: string): string {
  const then = Date.parse(iso);
  return Number.isNaN(then) ? '' : date.format(then);
}
