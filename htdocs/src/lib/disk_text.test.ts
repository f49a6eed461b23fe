import { expect, it } from 'vitest';

import type { DiskUse } from './api';
import { diskText } from './disk_text';

const GB = 1e9;
const disk = (more: Partial<DiskUse> = {}): DiskUse => ({
  free: 60 * GB, reserve: 10 * GB, paused: false, originals: 30 * GB, media: 20 * GB, budget: null, ...more,
});

it('is half full where as much may still come as there is', () => {
  const { share, text, tone } = diskText(disk());
  expect(share).toBe(0.5);
  expect(tone).toBe('accent');
  expect(text).toBe(
    '30 GB of files as they were uploaded · 20 GB made of them · 60 GB free, of which 10 GB stay free',
  );
});

it('names a budget', () => {
  expect(diskText(disk({ budget: 25 * GB })).text).toContain('20 GB of at most 25 GB made of them');
});

it('is full where no more than the reserve is free', () => {
  expect(diskText(disk({ free: 5 * GB, paused: true }))).toMatchObject({ share: 1, tone: 'warn' });
  expect(diskText(disk({ originals: 0, media: 0, free: null })).share).toBe(1);
});
