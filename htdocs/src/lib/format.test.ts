import { expect, test } from 'vitest';

import {
  formatAgo,
  formatBytes,
  formatClock,
  formatDuration,
  formatEnd,
  formatEta,
  formatMoment,
  formatPercent,
  formatSpeed,
  formatTook,
} from './format';

test.each([
  [0, '0 bytes'],
  [1, '1 byte'],
  [999, '999 bytes'],
  [1000, '1.0 kB'],
  [9949, '9.9 kB'],
  [9950, '10 kB'],
  [999_499, '999 kB'],
  [999_500, '1.0 MB'],
  [1_048_576, '1.0 MB'],
  [12_400_000, '12 MB'],
  [4_200_000_000, '4.2 GB'],
  [-5, '0 bytes'],
])('%d bytes', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

test('a speed is bytes per second', () => expect(formatSpeed(2_500_000)).toBe('2.5 MB/s'));

test.each([
  [0, '0:00'],
  [7.4, '0:07'],
  [59.6, '1:00'],
  [3599.5, '1:00:00'],
  [3723, '1:02:03'],
  [36_000, '10:00:00'],
])('a duration of %d s', (s, text) => expect(formatDuration(s)).toBe(text));

test.each([
  [Infinity, ''],
  [NaN, ''],
  [0.4, 'almost done'],
  [4.2, '5 s left'],
  [41, '45 s left'],
  [57, '60 s left'],
  [58, '1 min left'],
  [200, '3 min left'],
  [3600, '1 h left'],
  [5400, '1 h 30 min left'],
])('%d s to go', (s, text) => expect(formatEta(s)).toBe(text));

test('100 % is said only of the whole', () => {
  expect(formatPercent(0.999)).toBe('99 %');
  expect(formatPercent(1)).toBe('100 %');
  expect(formatPercent(1.2)).toBe('100 %');
  expect(formatPercent(-0.1)).toBe('0 %');
});

test.each([
  [0.84, '0.8 s'],
  [9.97, '10 s'],
  [185, '3 min 5 s'],
])('it took %d s', (s, text) => expect(formatTook(s)).toBe(text));

test('ages go from "just now" to a date', () => {
  const now = Date.parse('2026-03-10T12:00:00Z');
  const ago = (s: number) => formatAgo(new Date(now - s * 1000).toISOString(), now);
  expect(ago(5)).toBe('just now');
  expect(ago(-30)).toBe('just now');
  expect(ago(61)).toBe('1 minute ago');
  expect(ago(7300)).toBe('2 hours ago');
  expect(ago(86_401)).toBe('yesterday');
  expect(ago(30 * 86_400)).toContain('2026');
});

test('ends go from "in a moment" to a date', () => {
  const now = Date.parse('2026-03-10T12:00:00Z');
  const end = (s: number) => formatEnd(new Date(now + s * 1000).toISOString(), now);
  expect(formatEnd(null, now)).toBe('never ends');
  expect(end(-1)).toBe('has ended');
  expect(end(30)).toBe('ends in a moment');
  expect(end(3590)).toBe('ends in 60 minutes');
  expect(end(7 * 86_400 - 1)).toBe('ends in 7 days');
  expect(end(86_401)).toBe('ends tomorrow');
  expect(end(400 * 86_400)).toBe('ends on Apr 14, 2027');
});

test('what is no time is no text', () => {
  expect(formatAgo('', 0)).toBe('');
  expect(formatMoment('soon')).toBe('');
  expect(formatEnd('soon', 0)).toBe('');
  expect(formatClock('')).toBe('');
});
