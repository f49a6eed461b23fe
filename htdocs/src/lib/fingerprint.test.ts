import { expect, test } from 'vitest';

import { fingerprint, isSameFile, type FileFacts } from './fingerprint';

const bytes = (text: string) => new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>;

test('where the browser has it, it is the SHA-256 in hex', async () => {
  const digest = async (name: unknown, data: BufferSource) => {
    expect([name, data]).toEqual(['SHA-256', bytes('abc')]);
    return Uint8Array.of(0xba, 0x78, 0x0f, 0xad).buffer;
  };
  expect(await fingerprint(bytes('abc'), { digest })).toBe('sha256-ba780fad');
});

test('where it has not, every byte counts all the same', async () => {
  const texts = ['', 'a', 'b', 'ab', 'ba', 'abc', '\0', '\0\0'];
  const all = await Promise.all(texts.map((text) => fingerprint(bytes(text), null)));
  expect(new Set(all).size).toBe(texts.length);
  // The FNV-1a of "a", as its authors list it.
  expect(all[1]).toMatch(/^fnv-e40c292c[0-9a-f]{8}$/);
});

test('a file is the same only if all that is known of it is', () => {
  const facts: FileFacts = { name: 'a.mp4', size: 5, lastModified: 7, fingerprint: 'x' };
  expect(isSameFile(facts, { ...facts })).toBe(true);
  for (const other of [{ name: 'b.mp4' }, { size: 6 }, { lastModified: 8 }, { fingerprint: 'y' }]) {
    expect(isSameFile(facts, { ...facts, ...other })).toBe(false);
  }
});
