import { expect, test } from 'vitest';

import { RateMeter } from './rate';

test('nothing is said before two moments are known', () => {
  const meter = new RateMeter();
  expect(meter.perSecond).toBe(0);
  meter.add(0, 0);
  expect(meter.perSecond).toBe(0);
  meter.add(0, 50);
  expect(meter.perSecond).toBe(0);
});

test('an even transfer has its speed', () => {
  const meter = new RateMeter();
  for (let t = 0; t <= 20_000; t += 250) meter.add(t, t * 3);
  expect(meter.perSecond).toBeCloseTo(3000);
});

test('a change of speed is seen within the window', () => {
  const meter = new RateMeter();
  let bytes = 0;
  for (let t = 0; t <= 60_000; t += 500) meter.add(t, (bytes += 5000));
  for (let t = 60_500; t <= 67_000; t += 500) meter.add(t, (bytes += 500));
  expect(meter.perSecond).toBeCloseTo(1000);
});

test('a transfer that stands still has no speed', () => {
  const meter = new RateMeter();
  meter.add(0, 0);
  meter.add(1000, 9000);
  meter.add(2000, 9000);
  meter.add(9000, 9000);
  expect(meter.perSecond).toBe(0);
});
