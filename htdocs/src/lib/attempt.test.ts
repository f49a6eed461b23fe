import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { ApiError } from './api';
import { Attempt } from './attempt.svelte';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('what fails says why, and the next try begins without a word', async () => {
  const attempt = new Attempt();
  expect(await attempt.run(() => Promise.reject(new ApiError(401, 'bad_login', 'Wrong.')))).toBe(false);
  expect([attempt.problem, attempt.working, attempt.wait]).toEqual(['Wrong.', false, 0]);
  let done = () => {};
  const running = attempt.run(() => new Promise<void>((resolve) => (done = resolve)));
  expect([attempt.problem, attempt.working, attempt.ready]).toEqual(['', true, false]);
  expect(await attempt.run(async () => {})).toBe(false); // one at a time
  done();
  expect(await running).toBe(true);
});

test('where the server wants time to pass, nothing is tried before it has', async () => {
  const attempt = new Attempt();
  await attempt.run(() => Promise.reject(new ApiError(429, 'too_many', 'Too many tries.', 2)));
  const act = vi.fn(async () => {});
  expect([attempt.wait, attempt.ready, await attempt.run(act)]).toEqual([2, false, false]);
  vi.advanceTimersByTime(1000);
  expect([attempt.wait, attempt.problem]).toEqual([1, 'Too many tries.']);
  vi.advanceTimersByTime(1000);
  expect([attempt.wait, attempt.ready, attempt.problem]).toEqual([0, true, '']);
  expect(await attempt.run(act)).toBe(true);
});
