import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { Pause } from './pause.svelte';

let ends: number;
let pause: Pause;
beforeEach(() => {
  vi.useFakeTimers();
  ends = 0;
  pause = new Pause();
  pause.start(3, () => (ends += 1));
});
afterEach(() => vi.useRealTimers());

test('it counts down and ends once', () => {
  const seen = [pause.left];
  for (let i = 0; i < 3; i++) {
    vi.advanceTimersByTime(1000);
    seen.push(pause.left);
  }
  expect(seen).toEqual([3, 2, 1, 0]);
  expect(ends).toBe(1);
  vi.advanceTimersByTime(10_000);
  expect(ends).toBe(1);
});

test('cut short, it ends at once and not a second time', () => {
  vi.advanceTimersByTime(1000);
  pause.cut();
  expect([ends, pause.left]).toEqual([1, 0]);
  pause.cut();
  vi.advanceTimersByTime(10_000);
  expect(ends).toBe(1);
});

test('stopped, it has no end', () => {
  pause.stop();
  expect(pause.left).toBe(0);
  vi.advanceTimersByTime(10_000);
  expect(ends).toBe(0);
});

test('what it ends with may be the next one', () => {
  pause.start(1, () => pause.start(2, () => (ends += 10)));
  vi.advanceTimersByTime(1000);
  expect(pause.left).toBe(2);
  vi.advanceTimersByTime(2000);
  expect(ends).toBe(10);
});
