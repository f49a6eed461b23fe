import { expect, test } from 'vitest';
import { Standstill, STANDSTILL_MS } from './standstill';

test('an upload stands still when nothing has come for a while, until something does', () => {
  const still = new Standstill();
  expect(still.see(0, 1000)).toBe(false);
  expect(still.see(0, 1000 + STANDSTILL_MS - 1)).toBe(false);
  expect(still.see(0, 1000 + STANDSTILL_MS)).toBe(true);
  expect(still.see(5, 90_000)).toBe(false);
  expect(still.see(5, 90_000 + STANDSTILL_MS)).toBe(true);
});

test('one that begins anew has fewer bytes, and comes in', () => {
  const still = new Standstill();
  still.see(5000, 0);
  expect(still.see(5, STANDSTILL_MS)).toBe(false);
});
