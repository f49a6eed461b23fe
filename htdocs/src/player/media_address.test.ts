import { expect, test, vi } from 'vitest';

import { MediaAddress } from './media_address';

const KEYS = ['a', 'b', 'c'].map((letter) => letter.repeat(26)) as [string, string, string];
const [A, B, C] = KEYS.map((key) => `/media/${key}/player.m3u8`) as [string, string, string];
const segment = (key: string) => `http://site/media/${key}/360p-1/7.m4s`;

test('what a player knows is fetched under the key of today', () => {
  const address = new MediaAddress(A, async () => null);
  expect(address.of(segment(KEYS[0]))).toBe(segment(KEYS[0]));
  address.know(B);
  expect(address.of(segment(KEYS[0]))).toBe(segment(KEYS[1]));
  expect(address.of(A)).toBe(B);
  expect(address.src).toBe(A);
  expect(address.of('/api/health')).toBe('/api/health');
  address.know(null);
  expect(address.of(A)).toBe(B);
});

test('where nothing is found it is asked for once, however many ask', async () => {
  const ask = vi.fn(async () => B);
  const address = new MediaAddress(A, ask);
  const found = await Promise.all([1, 2, 3].map(() => address.look(segment(KEYS[0]))));
  expect(found).toEqual(['moved', 'moved', 'moved']);
  expect(ask).toHaveBeenCalledTimes(1);
  expect(address.of(A)).toBe(B);
  // One that was on its way under the old key all the time.
  expect(await address.look(segment(KEYS[0]))).toBe('moved');
  expect(ask).toHaveBeenCalledTimes(1);
});

test('new keys again and again', async () => {
  const keys = [B, C];
  const address = new MediaAddress(A, async () => keys.shift()!);
  expect(await address.look(segment(KEYS[0]))).toBe('moved');
  expect(await address.look(segment(KEYS[1]))).toBe('moved');
  expect(address.of(segment(KEYS[0]))).toBe(segment(KEYS[2]));
});

test('a segment that is gone under the same key is gone', async () => {
  const address = new MediaAddress(A, async () => A);
  expect(await address.look(segment(KEYS[0]))).toBe('same');
});

test('one who may not watch any more is told so, and asks no more', async () => {
  const ask = vi.fn(async () => null);
  const address = new MediaAddress(A, ask);
  expect(await address.look(segment(KEYS[0]))).toBe('lost');
  expect(await address.look(segment(KEYS[0]))).toBe('lost');
  expect(ask).toHaveBeenCalledTimes(1);
  address.know(B);
  expect(address.of(A)).toBe(B);
});

test('a server that says nothing leaves it open, and is asked again', async () => {
  const ask = vi.fn(async (): Promise<string | null> => Promise.reject(new Error('down')));
  const address = new MediaAddress(A, ask);
  expect(await address.look(segment(KEYS[0]))).toBe('unknown');
  ask.mockImplementation(async () => B);
  expect(await address.look(segment(KEYS[0]))).toBe('moved');
});
