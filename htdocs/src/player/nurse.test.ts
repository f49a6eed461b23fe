import { beforeEach, expect, test } from 'vitest';

import { FORGET_BROKEN_MS, FORGET_GONE_MS, Nurse, RECOVERIES, RELOAD_MAX_MS, RESTART_MS } from './nurse';

let nurse: Nurse;
let now: number;
beforeEach(() => {
  nurse = new Nurse();
  now = 1000;
});

const network = (code?: number, started = true) =>
  nurse.treat({ type: 'networkError', code, started }, now);
const media = () => nurse.treat({ type: 'mediaError', started: true }, now).cure;

test('a segment that is gone means that the playlists are to be read anew', () => {
  expect(network(404)).toEqual({ cure: 'reload', delayMs: RESTART_MS });
  expect(network(410).cure).toBe('reload');
});

test('a server in trouble, or none, is asked again for the same', () => {
  for (const code of [503, 500, 0, undefined]) {
    expect(network(code)).toEqual({ cure: 'restart', delayMs: RESTART_MS });
  }
});

test('without a master playlist there is nothing to go on with', () => {
  expect(network(503, false)).toEqual({ cure: 'reload', delayMs: RESTART_MS });
  expect(network(undefined, false).cure).toBe('reload');
});

test('what stays gone is looked for ever less often, and never given up', () => {
  const waits = Array.from({ length: 50 }, () => {
    const { cure, delayMs } = network(404);
    now += delayMs;
    expect(cure).toBe('reload');
    return delayMs;
  });
  expect(waits.slice(0, 4)).toEqual([1000, 2000, 4000, 8000]);
  expect(waits.slice(10).every((wait) => wait === RELOAD_MAX_MS)).toBe(true);
});

test('after a good while the first wait is short again', () => {
  for (let i = 0; i < 10; i++) network(404);
  now += FORGET_GONE_MS + 1;
  expect(network(404).delayMs).toBe(RESTART_MS);
});

test('another kind of error does not make the wait longer', () => {
  for (let i = 0; i < 10; i++) network(503);
  expect(network(404).delayMs).toBe(RESTART_MS);
});

test('decoding errors are recovered from a few times, then given up', () => {
  for (let i = 0; i < RECOVERIES; i++) expect(media()).toBe('recover');
  expect(media()).toBe('give up');
});

test('decoding errors far apart are each recovered from', () => {
  for (let i = 0; i < 10 * RECOVERIES; i++) {
    expect(media()).toBe('recover');
    now += FORGET_BROKEN_MS + 1;
  }
});

test('errors of any other type are given up at once', () => {
  expect(nurse.treat({ type: 'muxError', started: true }, now).cure).toBe('give up');
});
